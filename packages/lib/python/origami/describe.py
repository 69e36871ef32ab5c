"""From a function's signature to the demo's schema."""

from __future__ import annotations

import base64
import collections.abc
import enum
import inspect
import mimetypes
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from .author import About
from .components import (
    Checkbox,
    Component,
    File,
    Image,
    Json,
    Label,
    Number,
    Select,
    Slider,
    Text,
)

MAX_EXAMPLE_BYTES = 1024**2


@dataclass(frozen=True)
class Field:
    """One input or output, with the Python type behind it."""

    name: str
    component: Component
    kind: Any
    required: bool = True
    default: Any = None
    has_default: bool = False
    description: str | None = None

    def schema(self) -> dict[str, Any]:
        words = self.name.replace("_", " ").strip()
        described = {
            "name": self.name,
            "label": words[:1].upper() + words[1:],
            "component": self.component.name,
            "options": self.component.options(),
            "required": self.required,
        }
        if self.description:
            described["description"] = self.description
        if self.has_default and self.default is not None:
            described["default"] = self.default.value if isinstance(self.default, enum.Enum) else self.default
        return described


@dataclass(frozen=True)
class Model:
    """A model that was understood."""

    function: Callable[..., Any]
    setup: Callable[[], Any] | None
    inputs: list[Field]
    outputs: list[Field]
    #: Whether the function returns its outputs by name.
    several: bool
    about: About
    #: None: neither the model nor the name of its file says one.
    title: str | None
    description: str
    #: Where the paths of examples start.
    folder: Path

    def schema(self) -> dict[str, Any]:
        return {
            "api": 1,
            **({} if self.title is None else {"title": self.title}),
            "description": self.description,
            "inputs": [field.schema() for field in self.inputs],
            "outputs": [field.schema() for field in self.outputs],
            "examples": [self._example(example) for example in self.about.examples],
            "streaming": inspect.isgeneratorfunction(inspect.unwrap(self.function)),
            "concurrency": self.about.concurrency,
        }

    def _example(self, example: typing.Mapping[str, Any]) -> dict[str, Any]:
        files = {field.name for field in self.inputs if field.component.file}
        return {name: _data_uri(self.folder / str(value)) if name in files else value for name, value in example.items()}


def describe(module: types.ModuleType, path: Path) -> Model:
    """Finds ``predict`` in a module (or in a class, as Cog has it) and reads its signature. Raises TypeError, AttributeError with what to change."""
    function, setup = _find(module)
    hints = _hints(function)
    comment = inspect.getdoc(function) or ""
    inputs = [
        _input(parameter, hints.get(parameter.name, parameter.empty), _words_for(parameter.name, comment))
        for parameter in inspect.signature(function).parameters.values()
    ]
    outputs, several = _outputs(hints.get("return", Any))
    about = getattr(function, "__origami__", About())
    summary = _summary(comment)
    title = about.title or _title(path)
    return Model(function, setup, inputs, outputs, several, about, title, about.description or summary, path.parent)


def _find(module: types.ModuleType) -> tuple[Callable[..., Any], Callable[[], Any] | None]:
    function = getattr(module, "predict", None)
    if callable(function):
        return function, getattr(module, "setup", None)
    for name, found in vars(module).items():
        if inspect.isclass(found) and found.__module__ == module.__name__ and callable(getattr(found, "predict", None)):
            instance = found()
            return instance.predict, getattr(instance, "setup", None)
        del name
    raise AttributeError("expected a function `predict`, or a class with a method `predict`")


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"a type of predict is not understood: {error}") from error


def _input(parameter: inspect.Parameter, hint: Any, description: str | None) -> Field:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise TypeError(f"predict: *{parameter.name} cannot be an input; give each input a name")
    has_default = parameter.default is not parameter.empty
    if hint is parameter.empty:
        component, kind, optional = _component_of_default(parameter.default) if has_default else Text(), Any, False
    else:
        component, kind, optional = _component(hint, "input", parameter.name)
    if isinstance(component, (Number, Slider)) and kind is int and component.integer is None:
        component = replace(component, integer=True)
    return Field(parameter.name, component, kind, not (optional or has_default), parameter.default if has_default else None, has_default, description)


def _component_of_default(default: Any) -> Component:
    if isinstance(default, bool):
        return Checkbox()
    if isinstance(default, (int, float)):
        return Number()
    return Text() if isinstance(default, str) else Json()


def _outputs(hint: Any) -> tuple[list[Field], bool]:
    hint = _yielded(hint)
    named = _named(hint)
    if named:
        return [Field(name, *_component(kind, "output", name)[:2]) for name, kind in named.items()], True
    component, kind, _ = _component(hint, "output", "output")
    return [Field("output", component, kind)], False


def _yielded(hint: Any) -> Any:
    """What a generator yields; of everything else, itself."""
    iterators = (collections.abc.Iterator, collections.abc.Generator, collections.abc.Iterable)
    return get_args(hint)[0] if get_origin(hint) in iterators and get_args(hint) else hint


def _named(hint: Any) -> dict[str, Any]:
    if typing.is_typeddict(hint) or (inspect.isclass(hint) and issubclass(hint, tuple) and hasattr(hint, "_fields")):
        return typing.get_type_hints(hint, include_extras=True)
    if inspect.isclass(hint) and is_dataclass(hint):
        known = typing.get_type_hints(hint, include_extras=True)
        return {field.name: known[field.name] for field in fields(hint)}
    return {}


def _component(hint: Any, side: str, name: str) -> tuple[Component, Any, bool]:
    """The component of a type, the type itself without wrappers, and whether None is allowed."""
    optional = False
    said: Component | None = None
    while True:
        if hasattr(hint, "__metadata__"):
            said = said or _said(hint.__metadata__)
            hint = get_args(hint)[0]
        elif get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
            optional = True
            rest = [one for one in get_args(hint) if one is not type(None)]
            hint = rest[0] if len(rest) == 1 else Any
        else:
            break
    return said or _by_type(hint, side, name), hint, optional


def _said(metadata: tuple[Any, ...]) -> Component | None:
    for one in metadata:
        if isinstance(one, Component):
            return one
        if inspect.isclass(one) and issubclass(one, Component):
            return one()
    return None


def _by_type(hint: Any, side: str, name: str) -> Component:
    if get_origin(hint) is Literal:
        return Select(tuple(get_args(hint)))
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return Select(tuple(member.value for member in hint))
    if side == "output" and get_origin(hint) is dict and get_args(hint) == (str, float):
        return Label()
    simple: dict[Any, Component] = {str: Text(), bool: Checkbox(), int: Number(integer=True), float: Number()}
    if hint in simple:
        return simple[hint]
    if inspect.isclass(hint) and issubclass(hint, Path):
        return File()
    if _is_pillow(hint):
        return Image()
    if side == "input" and not _is_json(hint):
        raise TypeError(f"predict: {name}: there is no component for the type {hint!r}")
    return Json()


def _is_json(hint: Any) -> bool:
    return hint is Any or (get_origin(hint) or hint) in (dict, list, tuple, object, Union, types.UnionType)


def _is_pillow(hint: Any) -> bool:
    if inspect.ismodule(hint) and hint.__name__ == "PIL.Image":
        return True
    return inspect.isclass(hint) and hint.__module__.startswith("PIL.") and hasattr(hint, "save")


def _title(path: Path) -> str | None:
    """What the name of a file says. The runtime knows the names of repository and folder."""
    words = re.sub(r"[-_]+", " ", path.stem).strip()
    return None if path.stem == "model" else (words[:1].upper() + words[1:] or None)


def _summary(comment: str) -> str:
    """The docstring up to where it lists its arguments."""
    return re.split(r"\n\s*(?:Args|Arguments|Parameters|Returns|Yields|Raises)\s*:?\s*\n|\n\s*:param ", comment)[0].strip()


def _words_for(name: str, comment: str) -> str | None:
    found = re.search(rf"^\s*(?::param (?:\w+ )?{name}:|{name}(?: *\([^)]*\))?:)\s*(.+)$", comment, re.MULTILINE)
    return found.group(1).strip() if found else None


def _data_uri(path: Path) -> str:
    content = path.read_bytes()
    if len(content) > MAX_EXAMPLE_BYTES:
        raise ValueError(f"example {path.name}: expected at most 1 MiB, got {len(content)} bytes")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
