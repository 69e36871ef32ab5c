"""Every component: its options, and its value on the wire and in Python. Mirrors the registry of the protocol."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4


@dataclass(frozen=True)
class Component:
    """One kind of input or output. Options that stay None are not sent."""

    name: ClassVar[str]
    file: ClassVar[bool] = False
    grows: ClassVar[bool] = False
    spelled: ClassVar[dict[str, str]] = {}

    def options(self) -> dict[str, Any]:
        """The options as the protocol spells them."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {self.spelled.get(name, name): value for name, value in given.items() if value is not None}

    def read(self, value: Any, kind: Any) -> Any:
        """A value from the wire, as the function wants it. ``kind`` is the parameter's type."""
        return value

    def write(self, value: Any, outbox: Path) -> Any:
        """A value that the function gave, for the wire. Files are written into ``outbox``."""
        return plain(value)


@dataclass(frozen=True)
class Text(Component):
    name = "text"
    grows = True
    spelled = {"min_length": "minLength", "max_length": "maxLength"}
    multiline: bool | None = None
    placeholder: str | None = None
    min_length: int | None = None
    max_length: int | None = None

    def write(self, value: Any, outbox: Path) -> Any:
        return str(value)


@dataclass(frozen=True)
class Number(Component):
    name = "number"
    min: float | None = None
    max: float | None = None
    step: float | None = None
    integer: bool | None = None

    def read(self, value: Any, kind: Any) -> Any:
        return int(value) if self.integer else float(value)


@dataclass(frozen=True)
class Slider(Component):
    name = "slider"
    min: float = 0
    max: float = 1
    step: float | None = None
    integer: bool | None = None

    def read(self, value: Any, kind: Any) -> Any:
        return int(value) if self.integer or kind is int else float(value)


@dataclass(frozen=True)
class Checkbox(Component):
    name = "checkbox"

    def write(self, value: Any, outbox: Path) -> Any:
        return bool(value)


@dataclass(frozen=True)
class Select(Component):
    name = "select"
    choices: tuple[str | int | float, ...] = ()

    def options(self) -> dict[str, Any]:
        return {"choices": list(self.choices)}

    def read(self, value: Any, kind: Any) -> Any:
        return kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value


@dataclass(frozen=True)
class File(Component):
    name = "file"
    file = True
    spelled = {"max_bytes": "maxBytes"}
    accept: str | None = None
    max_bytes: int | None = None

    def read(self, value: Any, kind: Any) -> Any:
        return Path(value["path"])

    def write(self, value: Any, outbox: Path) -> Any:
        path = Path(value).resolve()
        return {"path": str(path), "name": path.name}


@dataclass(frozen=True)
class Image(Component):
    name = "image"
    file = True
    spelled = {"max_bytes": "maxBytes"}
    max_bytes: int | None = None

    def read(self, value: Any, kind: Any) -> Any:
        if kind is Path:
            return Path(value["path"])
        from PIL import Image as Pillow

        image = Pillow.open(value["path"])
        image.load()
        return image

    def write(self, value: Any, outbox: Path) -> Any:
        if isinstance(value, (str, Path)):
            path = Path(value).resolve()
            return {"path": str(path), "name": path.name}
        path = outbox / f"{uuid4().hex}.png"
        value.save(path, format="PNG")
        return {"path": str(path), "name": "image.png", "type": "image/png"}


@dataclass(frozen=True)
class Sketch(Image):
    name = "sketch"
    width: int | None = None
    height: int | None = None
    brush: float | None = None


@dataclass(frozen=True)
class Json(Component):
    name = "json"


@dataclass(frozen=True)
class Label(Component):
    name = "label"
    top: int | None = None

    def write(self, value: Any, outbox: Path) -> Any:
        return {str(name): float(confidence) for name, confidence in value.items()}


@dataclass(frozen=True)
class Markdown(Component):
    name = "markdown"
    grows = True

    def write(self, value: Any, outbox: Path) -> Any:
        return str(value)


components: dict[str, type[Component]] = {
    component.name: component
    for component in (Text, Number, Slider, Checkbox, Select, Image, Sketch, File, Json, Label, Markdown)
}


def plain(value: Any) -> Any:
    """A value as JSON has it: numpy's scalars and arrays, enums, tuples and paths made plain. Raises TypeError for the rest."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, dict):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    json.dumps(value)
    return value
