"""What a model's author may say, and need not: a bare ``predict`` function is enough.

Standard library only. The runtime loads the model with ``python -m origami.worker model.py``.
"""

from .author import demo
from .call import Canceled, progress
from .components import (
    Checkbox,
    Component,
    File,
    Image,
    Json,
    Label,
    Markdown,
    Number,
    Select,
    Sketch,
    Slider,
    Text,
)

__all__ = [
    "Canceled",
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
    "demo",
    "progress",
]
