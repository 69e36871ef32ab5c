"""``python -m origami.worker model.py``: one model in one process, with the runtime at the other end of file descriptor 3.

A message is a length (four bytes, big-endian) and JSON in UTF-8. Files cross as paths.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import queue
import signal
import socket
import struct
import sys
import threading
import traceback
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from .call import Canceled, telling
from .describe import Field, Model, describe


class Runtime:
    """The runtime, by its socket."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=3)
        self._lock = threading.Lock()

    def send(self, **message: Any) -> None:
        body = json.dumps(message, allow_nan=False).encode()
        with self._lock:
            self._socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the runtime went away."""
        head = self._exactly(4)
        body = self._exactly(struct.unpack(">I", head)[0]) if head else None
        return json.loads(body) if body else None

    def _exactly(self, count: int) -> bytes | None:
        parts = b""
        while len(parts) < count:
            part = self._socket.recv(count - len(parts))
            if not part:
                return None
            parts += part
        return parts


class Worker:
    """Predictions one at a time, in the main thread; a second thread hears cancels."""

    def __init__(self, runtime: Runtime, model: Model) -> None:
        self._runtime = runtime
        self._model = model
        self._calls: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._current: str | None = None
        self._cancel: str | None = None
        signal.signal(signal.SIGUSR1, self._interrupt)

    def work(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        while (call := self._calls.get()) is not None:
            self._predict(call)

    def _listen(self) -> None:
        while (message := self._runtime.receive()) is not None:
            if message["type"] == "predict":
                self._calls.put(message)
            else:
                self._cancel = message["id"]
                os.kill(os.getpid(), signal.SIGUSR1)
        self._calls.put(None)
        os._exit(0)

    def _interrupt(self, *_: Any) -> None:
        if self._current is not None and self._current == self._cancel:
            self._current = None
            raise Canceled

    def _predict(self, call: dict[str, Any]) -> None:
        name = call["id"]
        telling(lambda done, total, note: self._runtime.send(type="progress", id=name, done=done, total=total, note=note))
        try:
            self._current = name
            output = self._run(name, call["input"], Path(call["outbox"]))
            self._current = None
            self._end(type="done", id=name, output=output)
        except Canceled:
            self._end(type="canceled", id=name)
        except Exception as error:
            self._current = None
            self._end(type="failed", id=name, error=_words(error), traceback=_trace(error))
        finally:
            telling(None)

    def _run(self, name: str, given: dict[str, Any], outbox: Path) -> dict[str, Any]:
        model = self._model
        values = {field.name: field.component.read(given[field.name], field.kind) for field in model.inputs if given.get(field.name) is not None}
        for field in model.inputs:
            if field.name not in values:
                values[field.name] = field.default
        result = model.function(**values)
        if not inspect.isgenerator(result):
            return self._by_name(result, outbox)
        output: dict[str, Any] = {}
        for part in result:
            for field_name, chunk in self._by_name(part, outbox).items():
                grows = self._grows(field_name)
                output[field_name] = output.get(field_name, "") + chunk if grows else chunk
                mode = "append" if grows else "replace"
                self._runtime.send(type="output", id=name, field=field_name, mode=mode, chunk=chunk)
        return output

    def _grows(self, name: str) -> bool:
        only = self._model.outputs
        return len(only) == 1 and only[0].name == name and only[0].component.grows

    def _by_name(self, result: Any, outbox: Path) -> dict[str, Any]:
        outputs = self._model.outputs
        if not self._model.several:
            return {outputs[0].name: _write(outputs[0], result, outbox)}
        if is_dataclass(result) and not isinstance(result, type):
            named = {field.name: getattr(result, field.name) for field in outputs}
        elif hasattr(result, "_asdict"):
            named = result._asdict()
        else:
            named = dict(result)
        return {field.name: _write(field, named[field.name], outbox) for field in outputs if field.name in named}

    def _end(self, **message: Any) -> None:
        mark(message["id"])
        self._runtime.send(**message)


def _write(field: Field, value: Any, outbox: Path) -> Any:
    return None if value is None else field.component.write(value, outbox)


def mark(name: str) -> None:
    """Says on both terminals that all of ``name`` was printed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
            stream.write(f"\x1e{name}\n")
            stream.flush()
        except (OSError, ValueError):
            pass


def load(path: Path) -> ModuleType:
    """Imports a model by its path, with its folder first on the path of modules."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, error.__traceback__)[-12:]).rstrip()


def main() -> None:
    runtime = Runtime()
    try:
        path = Path(sys.argv[1]).resolve()
        model = describe(load(path), path)
        runtime.send(type="schema", schema=model.schema())
        if model.setup is not None:
            model.setup()
        mark("setup")
        runtime.send(type="ready")
    except Exception as error:
        mark("setup")
        runtime.send(type="setup_failed", error=_words(error), traceback=_trace(error))
        sys.exit(1)
    Worker(runtime, model).work()


if __name__ == "__main__":
    main()
