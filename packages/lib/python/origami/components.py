"""Every component: its options, and its value on the wire and in Python. Mirrors the registry of the protocol."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from .plain import plain, scalar
from .refused import instead_of, type_name

#: What an author may import from ``origami``.
__all__ = [
    "Checkbox",
    "Component",
    "File",
    "Image",
    "Json",
    "Label",
    "Markdown",
    "Number",
    "Select",
    "Sketch",
    "Slider",
    "Text",
]


@dataclass(frozen=True)
class Component:
    """One kind of input or output. Options that stay None are not sent."""

    name: ClassVar[str]
    file: ClassVar[bool] = False
    grows: ClassVar[bool] = False
    #: Whether it can be an input, and an output.
    takes: ClassVar[bool] = True
    shows: ClassVar[bool] = True
    spelled: ClassVar[dict[str, str]] = {}

    def options(self) -> dict[str, Any]:
        """The options as the protocol spells them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {self.spelled.get(name, name): value for name, value in values.items() if value is not None}

    def read(self, value: Any, kind: Any) -> Any:
        """A value from the wire, as the function wants it. ``kind`` is the parameter's type."""
        return value

    def write(self, value: Any, outbox: Path) -> Any:
        """A value that the function gave, for the wire.

        Files are written into ``outbox``. Raises TypeError, ValueError for what it cannot show.
        """
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
        return _text(value)


@dataclass(frozen=True)
class Number(Component):
    name = "number"
    min: float | None = None
    max: float | None = None
    step: float | None = None
    integer: bool | None = None

    def read(self, value: Any, kind: Any) -> Any:
        if self.integer:
            return int(value)
        return float(value) if kind is float else value


@dataclass(frozen=True)
class Slider(Component):
    name = "slider"
    shows = False
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
    shows = False
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
        if not isinstance(value, (str, Path)):
            kind = type(value)
            raise TypeError(f"expected the path of a file, got {type_name(kind)}; {instead_of(kind, 'output')}")
        return _file(value)


#: How many pixels a picture may have when its component says nothing.
USUAL_PIXELS = 64_000_000


@dataclass(frozen=True)
class Image(Component):
    name = "image"
    file = True
    spelled = {"max_bytes": "maxBytes", "max_pixels": "maxPixels"}
    max_bytes: int | None = None
    max_pixels: int | None = None

    def read(self, value: Any, kind: Any) -> Any:
        if kind is Path:
            return Path(value["path"])
        from PIL import Image as Pillow

        most = self.max_pixels or USUAL_PIXELS
        # Pillow refuses what is far above its own limit when it opens a picture. An author may allow more.
        Pillow.MAX_IMAGE_PIXELS = max(Pillow.MAX_IMAGE_PIXELS or 0, most)
        image = Pillow.open(value["path"])
        if image.width * image.height > most:
            raise ValueError(f"expected an image of at most {most} pixels, got {image.width} × {image.height}")
        image.load()
        return image

    def write(self, value: Any, outbox: Path) -> Any:
        if isinstance(value, (str, Path)):
            return _file(value)
        if not is_pillow(type(value)):
            kind = type(value)
            raise TypeError(f"expected PIL.Image.Image or a path, got {type_name(kind)}; {instead_of(kind, 'output')}")
        path = outbox / f"{uuid4().hex}.png"
        value.save(path, format="PNG")
        return {"path": str(path), "name": "image.png", "type": "image/png"}


@dataclass(frozen=True)
class Sketch(Image):
    name = "sketch"
    shows = False
    width: int | None = None
    height: int | None = None
    brush: float | None = None


@dataclass(frozen=True)
class Json(Component):
    name = "json"


@dataclass(frozen=True)
class Label(Component):
    name = "label"
    takes = False
    top: int | None = None

    def write(self, value: Any, outbox: Path) -> Any:
        confidences = plain(value)
        if not isinstance(confidences, dict):
            raise TypeError(f"expected confidences by class, dict[str, float], got {type_name(type(value))}")
        return {name: float(confidence) for name, confidence in confidences.items()}


@dataclass(frozen=True)
class Markdown(Component):
    name = "markdown"
    grows = True
    takes = False

    def write(self, value: Any, outbox: Path) -> Any:
        return _text(value)


def is_pillow(kind: Any) -> bool:
    """Whether a type is Pillow's image; its module stands for it, as in ``from PIL import Image``."""
    if inspect.ismodule(kind):
        return kind.__name__ == "PIL.Image"
    bases = kind.__mro__ if inspect.isclass(kind) else ()
    return any(base.__module__.startswith("PIL.") and hasattr(base, "save") for base in bases)


def _text(value: Any) -> str:
    found = scalar(value)
    if not isinstance(found, (str, int, float)):
        got = type_name(type(value))
        raise TypeError(f"expected text, got {got}; return str, or say another type for what predict returns")
    return str(found)


def _file(value: str | Path) -> dict[str, str]:
    path = Path(value).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path.name}")
    return {"path": str(path), "name": path.name}
