"""What the model prints: to the terminals, or with the id of its prediction where several run at once."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

try:
    import fcntl
    import termios
except ImportError:  # Windows has neither.
    fcntl = None  # type: ignore[assignment]

from .call import current


class Terminal(io.TextIOWrapper):
    """One of the two terminals. One that is broken or closed loses what is printed, and fails no prediction."""

    def __init__(self, stream: Any, source: str) -> None:
        super().__init__(stream.buffer, encoding="utf-8", errors="backslashreplace", write_through=True)
        self._source = source

    def write(self, text: str) -> int:
        call = current()
        if call is not None and call.apart and call.printed(self._source, text):
            return len(text)
        return self.print(text)

    def print(self, text: str) -> int:
        """Writes to the terminal itself, whoever runs."""
        try:
            return super().write(text)
        except (OSError, ValueError):
            return len(text)  # It is broken or closed: there is nowhere left to say so.

    def flush(self) -> None:
        call = current()
        if call is not None and call.apart:
            call.flush(self._source)
        try:
            super().flush()
        except (OSError, ValueError):
            pass  # It is broken or closed: there is nowhere left to say so.

    def close(self) -> None:
        """Does nothing, because later predictions print to it too."""


class Terminals:
    """Both terminals, in place of ``sys.stdout`` and ``sys.stderr``."""

    def __init__(self) -> None:
        nowhere = open(os.devnull, "w")
        sys.stdout = self._stdout = Terminal(sys.__stdout__ or nowhere, "stdout")
        sys.stderr = self._stderr = Terminal(sys.__stderr__ or nowhere, "stderr")

    def error(self, text: str) -> None:
        """Writes to stderr itself."""
        self._stderr.print(text)

    def mark(self, name: str, always: bool = False) -> bool:
        """Says on both that all of ``name`` was printed.

        False where that need not be said, because the runtime has read all there was.
        """
        for own in (sys.stdout, sys.stderr):
            try:
                if not _passes_on(own):
                    own.flush()
            except Exception:
                pass  # The model replaced the terminal by something of its own. What that holds back is lost.
        if not always and _is_read(1) and _is_read(2):
            return False
        for terminal in (self._stdout, self._stderr):
            terminal.print(f"\x1e{name}\n")
        return True


def _passes_on(own: Any) -> bool:
    """Whether it is a terminal of ours that holds nothing back: ``python -u`` has no buffer below it either."""
    return type(own) is Terminal and own.write_through and type(own.buffer) is io.FileIO


_NOTHING = bytes(4)


def _is_read(descriptor: int) -> bool:
    """Whether nothing that was written to it, by whomever, waits for its reader. False where that cannot be told."""
    if fcntl is None:
        return False
    try:
        return fcntl.ioctl(descriptor, termios.TIOCOUTQ, _NOTHING) == _NOTHING
    except OSError:
        return False  # It is no socket: closed, a file or a pipe.
