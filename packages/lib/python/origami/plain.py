"""A value as JSON has it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType
from typing import Any

from .refused import instead_of, type_name


#: Of these is most of what predictions give. Looking for them first costs less than to rule out all else.
_SIMPLE = frozenset({str, int, float, bool, NoneType})


def is_simple(value: Any) -> bool:
    """Whether a value is None or exactly a text, a number or a bool of Python's own."""
    return type(value) in _SIMPLE


def plain(value: Any, at: str = "") -> Any:
    """Makes enums, tuples, sets, dataclasses and numpy's numbers and arrays plain.

    ``at``: where in the output it stands. Raises TypeError for what JSON does not have, as paths, bytes and figures,
    and ValueError for numbers that are not finite.
    """
    value = scalar(value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"expected a finite number, got {float(value)}{_where(at)}; JSON has no such number")
        return value
    if isinstance(value, Mapping):
        return {_key(name, at): plain(entry, f"{at}[{name!r}]") for name, entry in value.items()}
    if isinstance(value, (list, tuple, Set)):
        return [plain(entry, f"{at}[{index}]") for index, entry in enumerate(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), f"{at}.{field.name}") for field in fields(value)}
    if _is_array(value):
        return plain(value.tolist(), at)
    kind = type(value)
    raise TypeError(f"expected what JSON has, got {type_name(kind)}{_where(at)}; {instead_of(kind, 'output')}")


def scalar(value: Any) -> Any:
    """The value of an enum's member, and Python's own number for one of numpy's; everything else as it is."""
    if is_simple(value):
        return value
    if isinstance(value, Enum):
        return scalar(value.value)
    return value.tolist() if _is_array(value) and getattr(value, "shape", None) == () else value


def is_unfinished(value: Any) -> bool:
    """Whether a value is no answer but what would yield one: a coroutine, a future, a generator."""
    if is_simple(value):
        return False
    return inspect.isawaitable(value) or inspect.isgenerator(value) or inspect.isasyncgen(value)


def _is_array(value: Any) -> bool:
    """Whether a value is an array of numpy, torch or jax. Pandas' are not, because they would lose index and names."""
    kind = type(value)
    if kind is memoryview or any(base.__module__.startswith("pandas") for base in kind.__mro__):
        return False
    return hasattr(kind, "tolist")


def _key(name: Any, at: str) -> str:
    plain(name, f"{at} (a key)")
    return str(scalar(name))


def _where(at: str) -> str:
    return f" at {at}" if at else ""
