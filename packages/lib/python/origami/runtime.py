"""The runtime at the other end of file descriptors 3, from which it is heard, and 4, on which it is told.

A message is a length (four bytes, big-endian) and JSON in UTF-8. Files cross as paths.
"""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from typing import Any

from .encoding import encode

#: Files cross as paths, so a larger message is a mistake on one side or the other.
MAX_FRAME_BYTES = 64 * 1024**2

#: How many calls may wait in a worker for their turn.
AHEAD = 8

#: What ``json.loads`` calls.
_decode = json.JSONDecoder().decode

_CHUNK = 1024**2
_USUAL = 64 * 1024


class Runtime:
    """Messages to the runtime and from it."""

    def __init__(self, heard: int = 3, told: int = 4) -> None:
        for descriptor in (heard, told):
            # A program that the model starts must not hold the connection open when this process is gone.
            os.set_inheritable(descriptor, False)
        self._heard = socket.socket(fileno=heard)
        self._told = socket.socket(fileno=told)
        self._lock = threading.Lock()
        self._received = bytearray()

    def fileno(self) -> int:
        """So that it can be polled."""
        return self._heard.fileno()

    def send(self, **message: Any) -> None:
        """Raises ValueError for what is no JSON or too large; then nothing was sent."""
        body = encode(message)
        if len(body) > MAX_FRAME_BYTES:
            taken = f"at most {MAX_FRAME_BYTES} are taken"
            raise ValueError(f"it is {len(body)} bytes as JSON; {taken}: give large data as a file")
        with self._lock:
            try:
                self._told.sendall(len(body).to_bytes(4, "big") + body)
            except (BrokenPipeError, ConnectionResetError):
                os._exit(0)  # The runtime went away, and this process ends with it.

    def receive(self, wait: bool) -> list[dict[str, Any]] | None:
        """The next messages: at least one where it waits, else those that are there. One thread at a time calls it.

        None when the runtime went away. Calls that are too large are answered here and skipped.
        """
        messages: list[dict[str, Any]] = []
        while True:
            try:
                part = self._heard.recv(self._next_size(), 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return messages
            if not part:
                return None
            self._received += part
            self._parse(messages)
            if messages or not wait:
                return messages

    def _next_size(self) -> int:
        """How much to read at once: more where a large message is on its way."""
        if len(self._received) < 4:
            return _USUAL
        missing = 4 + int.from_bytes(self._received[:4], "big") - len(self._received)
        return max(_USUAL, min(missing, _CHUNK))

    def _parse(self, messages: list[dict[str, Any]]) -> None:
        received = self._received
        start = 0
        while len(received) - start >= 4:
            size = int.from_bytes(received[start : start + 4], "big")
            end = start + 4 + size
            if size > MAX_FRAME_BYTES:
                del received[: start + 4]
                self._refuse(size)
                start = 0
                continue
            if end > len(received):
                break
            messages.append(_decode(received[start + 4 : end].decode()))
            start = end
        del received[:start]

    def _refuse(self, size: int) -> None:
        """Reads a message to its end that is too large, and answers it."""
        while len(self._received) < min(size, 4096) and self._read_more(min(size, 4096) - len(self._received)):
            pass
        start = bytes(self._received[:4096])
        left = size - len(self._received)
        if left <= 0:
            del self._received[:size]
        else:
            self._received.clear()
        while left > 0 and (part := self._heard.recv(min(left, _CHUNK))):
            left -= len(part)
        error = f"the input is {size} bytes as JSON; at most {MAX_FRAME_BYTES} are taken: send large data as a file"
        found = re.search(rb'"id":\s*"([A-Za-z0-9_-]{1,64})"', start)
        if found and left <= 0:
            self.send(type="failed", id=found.group(1).decode(), error=error, traceback=error, marked=False)

    def _read_more(self, count: int) -> bool:
        part = self._heard.recv(min(count, _CHUNK))
        self._received += part
        return bool(part)
