"""From a type to the component that shows it."""

from __future__ import annotations

import collections.abc
import enum
import inspect
import io
import types
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from .components import Checkbox, Component, File, Image, Json, Label, Number, Select, Text, is_pillow
from .refused import alias_of, refusal

_STREAMS = (
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.Iterable,
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
)


def component_of(hint: Any, side: str, where: str) -> tuple[Component, Any, bool]:
    """The component of a type, the type itself without wrappers, and whether None is allowed.

    Raises TypeError for what cannot be shown.
    """
    optional = False
    said: Component | None = None
    while True:
        if hasattr(hint, "__metadata__"):
            said = said or _said(hint.__metadata__)
            hint = get_args(hint)[0]
        elif alias_of(hint) is not None:
            hint = alias_of(hint)
        elif _is_union(hint) and type(None) in get_args(hint):
            optional = True
            hint = Union[tuple(one for one in get_args(hint) if one is not type(None))]
        else:
            break
    component = said or _by_type(hint, side, where)
    if not (component.takes if side == "input" else component.shows):
        name = type(component).__name__
        raise TypeError(f"{where}: {name} is not for an {side}; leave it out, or say another component")
    return component, hint, optional


def streamed(hint: Any) -> tuple[Any, bool]:
    """The type of one piece of what comes piece by piece, and True; of everything else the type itself, and False."""
    if hasattr(hint, "__metadata__"):
        piece, streams = streamed(get_args(hint)[0])
        said = _said(hint.__metadata__)
        return (Annotated[piece, said] if said else piece, True) if streams else (hint, False)
    if _is_union(hint):
        rest = [one for one in get_args(hint) if one is not type(None)]
        piece, streams = streamed(rest[0]) if len(rest) == 1 else (hint, False)
        return (piece, True) if streams else (hint, False)
    origin = get_origin(hint) or hint
    if origin in (collections.abc.Awaitable, collections.abc.Coroutine):
        return streamed(get_args(hint)[-1] if get_args(hint) else Any)
    return (_piece(hint), True) if inspect.isclass(origin) and _streams(origin) else (hint, False)


def _streams(kind: type) -> bool:
    if issubclass(kind, (io.IOBase, typing.IO)) or collections.abc.Collection in kind.__mro__:
        return False
    by_name = any(base in (collections.abc.Iterable, collections.abc.AsyncIterable) for base in kind.__mro__)
    return by_name or issubclass(kind, (collections.abc.Iterator, collections.abc.AsyncIterator))


def _piece(hint: Any) -> Any:
    """What an iterator gives: its argument, or that of the iterator that its class is made from."""
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if origin in _STREAMS:
        return arguments[0] if arguments else Any
    known = dict(zip(_variables_of(origin), arguments))
    for base in _bases_of(origin):
        kind = get_origin(base) or base
        piece = _filled(_piece(base), known) if inspect.isclass(kind) and _streams(kind) else Any
        if piece is not Any:
            return piece
    step = getattr(origin, "__next__", None) or getattr(origin, "__anext__", None)
    try:
        return _filled(typing.get_type_hints(step).get("return", Any), known) if inspect.isfunction(step) else Any
    except NameError:
        return Any  # The name is not defined anywhere. Each piece is checked when it comes.


def _bases_of(kind: type) -> tuple[Any, ...]:
    """What a class is made from, with the arguments that its author gave."""
    return kind.__dict__.get("__orig_bases__", kind.__bases__)


def _variables_of(kind: type) -> tuple[Any, ...]:
    """The type variables of a class, in their order.

    Only what ``typing`` makes knows its own: a class made from ``collections.abc`` does not.
    """
    own = getattr(kind, "__parameters__", None)
    return own or tuple(dict.fromkeys(one for base in _bases_of(kind) for one in getattr(base, "__parameters__", ())))


def _filled(hint: Any, known: dict[Any, Any]) -> Any:
    """A type with its type variables replaced by what is known of them."""
    if isinstance(hint, typing.TypeVar):
        return known.get(hint, hint)
    variables = () if inspect.isclass(hint) else getattr(hint, "__parameters__", ())
    return hint[tuple(known.get(variable, variable) for variable in variables)] if variables else hint


def _said(metadata: tuple[Any, ...]) -> Component | None:
    for one in metadata:
        if isinstance(one, Component):
            return one
        if inspect.isclass(one) and issubclass(one, Component):
            return one()
    return None


def _by_type(hint: Any, side: str, where: str) -> Component:
    if get_origin(hint) is Literal or (inspect.isclass(hint) and issubclass(hint, enum.Enum)):
        _refuse(hint, side, where)
    if get_origin(hint) is Literal:
        return _of_choices(tuple(get_args(hint)), side)
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return _of_choices(tuple(member.value for member in hint), side)
    if side == "output" and get_origin(hint) is dict and get_args(hint) == (str, float):
        return Label()
    if _is_union(hint) and all(one in (int, float) for one in get_args(hint)):
        return Number()
    simple: dict[Any, Component] = {str: Text(), bool: Checkbox(), int: Number(integer=True), float: Number()}
    if hint in simple:
        return simple[hint]
    if inspect.isclass(hint) and issubclass(hint, Path):
        return File()
    if is_pillow(hint):
        return Image()
    _refuse(hint, side, where)
    return Json()


def _refuse(hint: Any, side: str, where: str) -> None:
    """Raises TypeError for a type that holds what JSON does not have."""
    problem = refusal(hint, side)
    if problem:
        raise TypeError(f"{where}: {problem}")


def _of_choices(choices: tuple[Any, ...], side: str) -> Component:
    """One of several is chosen as an input. As an output it is shown as what it is."""
    if side == "input":
        return Select(choices)
    if all(isinstance(choice, str) for choice in choices):
        return Text()
    are_numbers = all(isinstance(choice, (int, float)) and not isinstance(choice, bool) for choice in choices)
    return Number() if are_numbers else Json()


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)
