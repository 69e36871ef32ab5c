"""``python -m origami.worker model.py``: one model in one process, with the runtime at the other end of file
descriptors 3 and 4.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .describe import Model, describe
from .ends import trace_of, words_of
from .hearing import Hearing
from .import_watch import watched
from .load import load
from .many_at_a_time import ManyAtATime
from .one_at_a_time import OneAtATime
from .runtime import Runtime
from .terminal import Terminals


def main() -> None:
    """Imports the model, describes it, sets it up, and runs its predictions until the runtime goes away."""
    end_on_sigterm()
    runtime, terminals, inbox = Runtime(), Terminals(), Inbox()
    # From the first moment on: whatever the model does, this process ends with its runtime.
    hearing = Hearing(runtime, inbox.put)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        model = prepare(runtime, loop, Path(sys.argv[1]).resolve())
        end_on_sigterm()
        calls = (
            ManyAtATime(runtime, terminals, model, loop)
            if model.is_async
            else OneAtATime(runtime, terminals, model, loop, hearing)
        )
    except (Exception, SystemExit) as error:
        terminals.mark("setup", always=True)
        runtime.send(type="setup_failed", error=words_of(error), traceback=trace_of(error))
        sys.exit(1)
    terminals.mark("setup", always=True)
    runtime.send(type="ready", **calls.room())
    inbox.open(calls.take)
    calls.work()


def prepare(runtime: Runtime, loop: asyncio.AbstractEventLoop, path: Path) -> Model:
    """A model that is ready to predict. Relative files are those beside it, from its import on."""
    os.chdir(path.parent)
    with watched(path):
        module = load(path)
    model = describe(module, path)
    runtime.send(type="schema", schema=model.schema())
    if model.setup is not None:
        pending = model.setup()
        if inspect.isawaitable(pending):
            loop.run_until_complete(_finish(pending))
    return model


def end_on_sigterm() -> None:
    """SIGTERM ends this process in every state, whatever it inherited and whatever a library of the model's put there.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


class Inbox:
    """Holds the messages that come before the model is ready."""

    def __init__(self) -> None:
        self._early: list[dict[str, Any]] = []
        self._take: Callable[[dict[str, Any]], None] | None = None
        self._lock = threading.Lock()

    def put(self, message: dict[str, Any]) -> None:
        with self._lock:
            if self._take is None:
                self._early.append(message)
            else:
                self._take(message)

    def open(self, take: Callable[[dict[str, Any]], None]) -> None:
        """From now on ``take`` gets them."""
        with self._lock:
            self._take = take
            for message in self._early:
                take(message)
            self._early.clear()


async def _finish(pending: Any) -> None:
    await pending


if __name__ == "__main__":
    main()
