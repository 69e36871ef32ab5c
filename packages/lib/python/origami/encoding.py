"""A message as JSON, in bytes."""

from __future__ import annotations

import json
from typing import Any

try:
    import orjson
except Exception:  # It is not among what the model needs, or is broken there: Python's own does the same.
    orjson = None  # type: ignore[assignment]

#: One encoder for all messages: ``json.dumps`` with options makes one for each.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def encode(message: dict[str, Any]) -> bytes:
    """By orjson where it is there and gives the same, else by Python's own encoder.

    Raises TypeError for what JSON does not have, ValueError for numbers that are not finite.
    """
    if orjson is not None:
        try:
            written = orjson.dumps(message, None, _STRICT)
        except TypeError:
            pass  # Large integers, keys that are no text and texts that are no Unicode, which Python's own takes.
        else:
            # It writes null for a number that is not finite, so where there is one, Python's own has the word.
            if b"null" not in written:
                return written
    return _encode(message).encode()


_STRICT = (
    0
    if orjson is None
    else orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
)
