from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

from origami import Markdown, Sketch, Slider, Text, demo
from PIL.Image import Image


@dataclass
class Given:
    text: Optional[str]
    number: Optional[float]
    slider: Optional[float]
    checkbox: Optional[bool]
    select: Annotated[Optional[str], Text()]
    image: Optional[Image]
    sketch: Optional[Image]
    file: Optional[Path]
    json: Any
    label: Optional[dict[str, float]]
    markdown: Annotated[Optional[str], Markdown()]


@demo(title="Every component")
def predict(
    text: Annotated[Optional[str], Text(max_length=200)] = None,
    number: Optional[float] = None,
    slider: Annotated[Optional[float], Slider(0, 10, 1)] = None,
    checkbox: Optional[bool] = None,
    select: Optional[Literal["red", "blue"]] = None,
    image: Optional[Image] = None,
    sketch: Annotated[Optional[Image], Sketch(width=64, height=64, brush=8)] = None,
    file: Optional[Path] = None,
    json: Any = None,
) -> Given:
    """Gives back what it gets."""
    label = None if number is None else {"yes": number, "no": 1 - number}
    markdown = None if text is None else f"**{text}**"
    return Given(text, number, slider, checkbox, select, image, sketch, file, json, label, markdown)
