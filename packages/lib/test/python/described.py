"""Describes each model that stands on stdin, a JSON list of sources, and prints a JSON list: its schema, or why it is
refused.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

from origami.describe import describe


def described(number: int, source: str) -> dict:
    module = ModuleType(f"model{number}")
    sys.modules[module.__name__] = module
    try:
        exec(source, module.__dict__)
        return {"schema": describe(module, Path("/models/model.py")).schema()}
    except TypeError as error:
        return {"refused": str(error)}


print(json.dumps([described(number, source) for number, source in enumerate(json.load(sys.stdin))]))
