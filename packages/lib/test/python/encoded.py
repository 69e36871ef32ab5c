"""Writes values as messages, by orjson and without it: one JSON line each, or the class of the error."""

import json
import sys

from origami import encoding


def written(value: object) -> str:
    try:
        return json.dumps(json.loads(encoding.encode({"value": value})))
    except Exception as error:
        return type(error).__name__


class Word(str):
    pass


values = [
    None,
    True,
    1.5,
    -0.0,
    1e300,
    2**63,
    2**64,
    -(2**70),
    "",
    "ä \u2028 \U0001f600 \x00 \x1e",
    "lone \ud800",
    Word("word"),
    {"a": [1, {"b": None}]},
    {1: 2, None: 3, 2.5: 4},
    float("nan"),
    {"deep": [float("inf"), None]},
    [float("-inf")],
    b"bytes",
    {1, 2},
    object(),
    "x" * 100_000,
]
nested: object = 1
for _ in range(300):
    nested = [nested]
values.append(nested)

with_it = [written(value) for value in values]
known = encoding.orjson is not None
encoding.orjson = None
without = [written(value) for value in values]
json.dump({"known": known, "with": with_it, "without": without}, sys.stdout)
