"""The prediction under way, as the model sees it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

#: The longest text of one log message, in characters; longer prints are cut into several.
MAX_LOG_TEXT = 64 * 1024


class Canceled(BaseException):
    """Raised in ``predict`` when the visitor cancels.

    Like KeyboardInterrupt it is no Exception: ``except Exception`` lets it pass.
    """


def progress(done: float, total: float | None = None, note: str | None = None) -> None:
    """Tells how far the prediction is. Outside of one it does nothing."""
    call = current()
    if call is not None:
        call.progress(done, total, note)


class Call:
    """One prediction under way.

    ``apart``: it is one of several, so what it prints is sent with its id instead of to the terminals.
    """

    def __init__(self, name: str, send: Callable[..., None], apart: bool = False) -> None:
        self.name = name
        self.apart = apart
        self._send = send
        self._open = True
        self._held = {"stdout": "", "stderr": ""}
        self._lock = threading.RLock()

    def progress(self, done: float, total: float | None, note: str | None) -> None:
        """Raises ValueError for what is no finite number."""
        done, total = _finite(done), None if total is None else _finite(total)
        if self._open:
            self._send(type="progress", id=self.name, done=done, total=total, note=None if note is None else str(note))

    def part(self, field: str, mode: str, chunk: Any) -> None:
        """A part of an output, written for the wire."""
        self._send(type="output", id=self.name, field=field, mode=mode, chunk=chunk)

    def printed(self, source: str, text: str) -> bool:
        """Sends what was printed, by whole lines. False when the prediction has ended."""
        with self._lock:
            if not self._open:
                return False
            self._held[source] += text
            if "\n" in text or "\r" in text or len(self._held[source]) > MAX_LOG_TEXT:
                self.flush(source)
            return True

    def flush(self, source: str) -> None:
        """Sends what was printed without the end of a line so far."""
        with self._lock:
            text, self._held[source] = self._held[source], ""
            for start in range(0, len(text), MAX_LOG_TEXT):
                self._send(type="log", id=self.name, source=source, text=text[start : start + MAX_LOG_TEXT])

    def close(self) -> None:
        """Sends the rest. What threads and tasks print that outlive the prediction is not taken any more."""
        if not self.apart:
            self._open = False  # It holds nothing.
            return
        with self._lock:
            for source in self._held:
                self.flush(source)
            self._open = False


_current: ContextVar[Call | None] = ContextVar("prediction", default=None)
_only: Call | None = None


def current() -> Call | None:
    """The prediction that this code runs for.

    A thread of the model's own belongs to the only one there is, else to none.
    """
    return _current.get() or _only


class during:
    """A context: what runs inside belongs to ``call``."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        global _only
        self._token = _current.set(self._call)
        if not self._call.apart:
            _only = self._call

    def __exit__(self, *_: object) -> None:
        global _only
        _current.reset(self._token)
        if _only is self._call:
            _only = None


def _finite(value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"progress: expected a finite number, got {number}")
    return number
