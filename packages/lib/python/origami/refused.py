"""What no component can show yet, and what to write instead."""

from __future__ import annotations

import collections.abc
import enum
import inspect
import re
import types
import typing
from dataclasses import is_dataclass
from typing import Any, Literal, Union, get_args, get_origin

#: What to write for a type whose name, or the name of one of its bases, begins so: as an input, and as an output.
_INSTEAD: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("pathlib.",),
        "take each file by an argument of its own, pathlib.Path",
        "return one pathlib.Path, or a dataclass with a field for each file",
    ),
    (
        ("PIL.",),
        "take each picture by an argument of its own, PIL.Image.Image",
        "return one PIL.Image.Image, or a dataclass with a field for each picture",
    ),
    (
        (
            *("builtins.bytes", "builtins.bytearray", "builtins.memoryview"),
            *("_io.", "io.", "typing.IO", "typing.TextIO", "typing.BinaryIO"),
        ),
        "take a pathlib.Path and read it",
        "write it into a file and return its pathlib.Path; for a picture PIL.Image.Image, for text str",
    ),
    (
        ("numpy.", "torch.", "jax.", "jaxlib.", "tensorflow."),
        "take a list, or PIL.Image.Image for a picture, and make the array of it",
        "return its numbers (.item() or .tolist()) as float or list, or PIL.Image.Image for a picture",
    ),
    (
        ("pandas.", "polars.", "pyarrow."),
        "take a pathlib.Path and read the table from it",
        "return list[dict] (one dict for each row), or write the table into a file and return its pathlib.Path",
    ),
    (
        ("matplotlib.", "plotly.", "altair.", "bokeh."),
        "take what the figure is made of",
        "save the figure as a picture and return Annotated[pathlib.Path, Image()]",
    ),
    (
        ("pydantic.",),
        "take a dict and make the model of it",
        "return a dict (.model_dump()) or a dataclass",
    ),
    (
        ("datetime.", "decimal.", "uuid.", "fractions.", "builtins.complex"),
        "take a str and parse it",
        "return it as str",
    ),
)

_LISTS = (list, tuple, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_MORE_OUTPUTS = (set, frozenset, collections.abc.Set, collections.abc.MutableSequence)


def refusal(hint: Any, side: str) -> str | None:
    """Why a type cannot be an input or output as JSON, with what to write instead. None when it can."""
    found = _foreign(hint, side, [])
    if found is None:
        return None
    held = "" if found is hint else f" (it holds {type_name(found)})"
    return f"{type_name(hint)} cannot be shown yet{held}; {instead_of(found, side)}"


def instead_of(kind: Any, side: str) -> str:
    """What to write instead of a type."""
    names = [f"{base.__module__}.{base.__qualname__}" for base in getattr(kind, "__mro__", ())] or [type_name(kind)]
    for beginnings, as_input, as_output in _INSTEAD:
        if any(name.startswith(beginnings) for name in names):
            return as_input if side == "input" else as_output
    if side == "input":
        return "take str, int, float, bool, Literal[...], an Enum, pathlib.Path, PIL.Image.Image, dict or list"
    return "return str, int, float, bool, pathlib.Path, PIL.Image.Image, dict, list, or a dataclass of these"


def type_name(kind: Any) -> str:
    """A type as its author knows it."""
    if inspect.ismodule(kind):
        return kind.__name__
    plain = get_origin(kind) is None and inspect.isclass(kind)
    # A module in a type, as in `list[Image]`, would print where on the server it is.
    name = f"{kind.__module__}.{kind.__qualname__}" if plain else re.sub(r"<module '([^']+)'[^>]*>", r"\1", repr(kind))
    return name.removeprefix("builtins.").replace("pathlib._local.", "pathlib.")


def _foreign(hint: Any, side: str, seen: list[Any]) -> Any:
    """The first type within a type that JSON does not have, or None.

    ``seen``: types that are being looked at already.
    """
    if any(hint is one for one in seen):
        return None
    seen.append(hint)
    origin = get_origin(hint) or hint
    if hint in (Any, object, None, type(None), ...) or isinstance(hint, (str, typing.ForwardRef, typing.TypeVar)):
        return None
    if origin is Literal:
        return _first(map(type, get_args(hint)), side, seen)
    if hasattr(hint, "__metadata__"):
        return _first(get_args(hint)[:1], side, seen)
    if origin in (Union, types.UnionType):
        return _first(get_args(hint), side, seen)
    alias = alias_of(hint)
    if alias is not None:
        return _foreign(alias, side, seen)
    if not inspect.isclass(origin):
        return hint
    if origin in (str, int, float, bool):
        return None
    if issubclass(origin, enum.Enum):
        return _first((type(member.value) for member in origin), side, seen)
    if typing.is_typeddict(origin):
        return _first(_hints_of(origin), side, seen)
    if side == "output" and (is_dataclass(origin) or hasattr(origin, "_fields")):
        return _first(_hints_of(origin), side, seen)
    return _first(get_args(hint), side, seen) if _is_json(origin, side) else hint


def _hints_of(kind: type) -> list[Any]:
    try:
        return list(typing.get_type_hints(kind, include_extras=True).values())
    except NameError:
        return []  # The name is not defined anywhere. The value is checked when it comes.


def _first(hints: typing.Iterable[Any], side: str, seen: list[Any]) -> Any:
    return next((found for found in (_foreign(hint, side, seen) for hint in hints) if found is not None), None)


def _is_json(origin: type, side: str) -> bool:
    if origin in _LISTS + _DICTS:
        return True
    own = not any(base.__module__.partition(".")[0] in ("numpy", "pandas", "torch") for base in origin.__mro__)
    plain = issubclass(origin, (dict, list, tuple, set, frozenset, str, int, float))
    return side == "output" and own and (plain or origin in _MORE_OUTPUTS)


def alias_of(hint: Any) -> Any:
    """What stands behind a NewType, a ``type`` statement, or Required and its like; None for all else."""
    if hasattr(hint, "__supertype__"):
        return hint.__supertype__
    if type(hint).__name__ == "TypeAliasType":
        return hint.__value__
    if getattr(get_origin(hint), "_name", None) in ("Required", "NotRequired", "ReadOnly"):
        return get_args(hint)[0]
    return None
