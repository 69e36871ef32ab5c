"""From a function's signature to the demo's schema."""

from __future__ import annotations

import base64
import inspect
import mimetypes
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from .annotations import component_of, streamed
from .author import About
from .components import Checkbox, Component, File, Json, Number, Slider, Text
from .plain import plain

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
        spaced = self.name.replace("_", " ").strip()
        described = {
            "name": self.name,
            "label": spaced[:1].upper() + spaced[1:],
            "component": self.component.name,
            "options": self.component.options(),
            "required": self.required,
        }
        if self.description:
            described["description"] = self.description
        # A file that the model takes by default stays where it is: the server's paths are nobody's business.
        if self.has_default and self.default is not None and not self.component.file:
            described["default"] = self._plain_default()
        return described

    def _plain_default(self) -> Any:
        try:
            return plain(self.default)
        except (TypeError, ValueError) as error:
            raise TypeError(f"predict: {self.name}: its default: {error}") from error


@dataclass(frozen=True)
class Model:
    """A model that was understood."""

    function: Callable[..., Any]
    setup: Callable[[], Any] | None
    inputs: list[Field]
    outputs: list[Field]
    #: Whether the function returns its outputs by name.
    several: bool
    #: Whether its answer comes piece by piece: the function is a generator, or says that it returns an iterator.
    streaming: bool
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
            "streaming": self.streaming,
            "concurrency": self.about.concurrency,
        }

    @property
    def is_async(self) -> bool:
        """Whether predictions are coroutines or async generators, so that several run at a time in one process."""
        function = inspect.unwrap(self.function)
        return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)

    def _example(self, example: typing.Mapping[str, Any]) -> dict[str, Any]:
        files = {field.name for field in self.inputs if field.component.file}
        try:
            return {
                name: _data_uri(self.folder / str(value)) if name in files else plain(value)
                for name, value in example.items()
            }
        except (TypeError, ValueError) as error:
            raise ValueError(f"an example of predict: {error}") from error


def describe(module: types.ModuleType, path: Path) -> Model:
    """Finds ``predict`` in a module (or in a class, as Cog has it) and reads its signature.

    Raises TypeError, AttributeError with what to change.
    """
    function, setup = _find(module)
    hints = _hints(function)
    comment = inspect.getdoc(function) or ""
    inputs = [
        _input(parameter, hints.get(parameter.name, parameter.empty), _words_for(parameter.name, comment))
        for parameter in inspect.signature(function).parameters.values()
    ]
    hint, streams = streamed(hints.get("return", Any))
    outputs, several = _outputs(hint)
    about = getattr(function, "__origami__", About())
    summary = _summary(comment)
    title = about.title or _title(path)
    streaming = streams or _is_generator(function)
    description = about.description or summary
    return Model(function, setup, inputs, outputs, several, streaming, about, title, description, path.parent)


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


def _is_generator(function: Callable[..., Any]) -> bool:
    inner = inspect.unwrap(function)
    return inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, AttributeError) as error:
        raise TypeError(f"a type of predict is not understood: {error}") from error


def _input(parameter: inspect.Parameter, hint: Any, description: str | None) -> Field:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise TypeError(f"predict: *{parameter.name} cannot be an input; give each input a name")
    has_default = parameter.default is not parameter.empty
    if hint is parameter.empty:
        component = _component_of_default(parameter.default) if has_default else Text()
        kind, optional = type(parameter.default), False
    else:
        component, kind, optional = component_of(hint, "input", f"predict: {parameter.name}")
    is_open = isinstance(component, (Number, Slider)) and component.integer is None
    if is_open and hint is not parameter.empty and kind is int:
        component = replace(component, integer=True)
    default = parameter.default if has_default else None
    required = not (optional or has_default)
    return Field(parameter.name, component, kind, required, default, has_default, description)


def _component_of_default(default: Any) -> Component:
    if isinstance(default, bool):
        return Checkbox()
    if isinstance(default, (int, float)):
        return Number()
    if isinstance(default, Path):
        return File()
    return Text() if isinstance(default, str) else Json()


def _outputs(hint: Any) -> tuple[list[Field], bool]:
    named = _named(hint)
    if named:
        shown = ((name, component_of(kind, "output", f"predict: output {name}")) for name, kind in named.items())
        return [Field(name, component, kind) for name, (component, kind, _) in shown], True
    component, kind, _ = component_of(hint, "output", "predict: what it returns")
    return [Field("output", component, kind)], False


def _named(hint: Any) -> dict[str, Any]:
    if typing.is_typeddict(hint) or (inspect.isclass(hint) and issubclass(hint, tuple) and hasattr(hint, "_fields")):
        return typing.get_type_hints(hint, include_extras=True)
    if inspect.isclass(hint) and is_dataclass(hint):
        known = typing.get_type_hints(hint, include_extras=True)
        return {field.name: known[field.name] for field in fields(hint)}
    return {}


def _title(path: Path) -> str | None:
    """What the name of a file says. The runtime knows the names of repository and folder."""
    spaced = re.sub(r"[-_]+", " ", path.stem).strip()
    return None if path.stem == "model" else (spaced[:1].upper() + spaced[1:] or None)


def _summary(comment: str) -> str:
    """The docstring up to where it lists its arguments."""
    sections = r"\n\s*(?:Args|Arguments|Parameters|Returns|Yields|Raises)\s*:?\s*\n|\n\s*:param "
    return re.split(sections, comment)[0].strip()


def _words_for(name: str, comment: str) -> str | None:
    found = re.search(rf"^\s*(?::param (?:\w+ )?{name}:|{name}(?: *\([^)]*\))?:)\s*(.+)$", comment, re.MULTILINE)
    return found.group(1).strip() if found else None


def _data_uri(path: Path) -> str:
    content = path.read_bytes()
    if len(content) > MAX_EXAMPLE_BYTES:
        raise ValueError(f"example {path.name}: expected at most 1 MiB, got {len(content)} bytes")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
