"""The runtime at the other end of file descriptor 3.

A message is a length (four bytes, big-endian) and JSON in UTF-8. Files cross as paths.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

#: Files cross as paths, so a larger message is a mistake on one side or the other.
MAX_FRAME_BYTES = 64 * 1024**2

_CHUNK = 1024**2

#: One encoder for all messages: ``json.dumps`` with options makes one for each.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class Runtime:
    """Messages to the runtime and from it."""

    def __init__(self, descriptor: int = 3) -> None:
        # A program that the model starts must not hold the connection open when this process is gone.
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._lock = threading.Lock()

    def send(self, **message: Any) -> None:
        """Raises ValueError for what is no JSON or too large; then nothing was sent."""
        body = _encode(message).encode()
        if len(body) > MAX_FRAME_BYTES:
            taken = f"at most {MAX_FRAME_BYTES} are taken"
            raise ValueError(f"it is {len(body)} bytes as JSON; {taken}: give large data as a file")
        with self._lock:
            self._socket.sendall(struct.pack(">I", len(body)) + body)

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the runtime went away. Calls that are too large are answered here and skipped."""
        while (head := self._exactly(4)) is not None:
            size = struct.unpack(">I", head)[0]
            if size <= MAX_FRAME_BYTES:
                body = self._exactly(size)
                return None if body is None else json.loads(body)
            self._refuse(size)
        return None

    def listen(self, take: Callable[[dict[str, Any]], None]) -> None:
        """Takes messages until the runtime goes away, then ends this process, whatever the model is doing."""
        status = 0
        try:
            while (message := self.receive()) is not None:
                take(message)
        except Exception as error:
            status = 1
            os.write(2, f"origami: the runtime sent what is not understood: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)

    def _refuse(self, size: int) -> None:
        start = self._exactly(min(size, 4096)) or b""
        left = size - len(start)
        while left > 0 and (part := self._socket.recv(min(left, _CHUNK))):
            left -= len(part)
        error = f"the input is {size} bytes as JSON; at most {MAX_FRAME_BYTES} are taken: send large data as a file"
        found = re.search(rb'"id":\s*"([A-Za-z0-9_-]{1,64})"', start)
        if found and left == 0:
            self.send(type="failed", id=found.group(1).decode(), error=error, traceback=error)

    def _exactly(self, count: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(min(count - len(parts), _CHUNK))
            if not part:
                return None
            parts += part
        return bytes(parts)
