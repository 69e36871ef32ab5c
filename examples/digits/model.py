from pathlib import Path
from typing import Annotated

import numpy as np
from origami import Sketch, demo
from PIL import Image

NAMES = ["Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"]

weights: dict[str, np.ndarray] = {}


def setup() -> None:
    with np.load(Path(__file__).parent / "weights.npz") as stored:
        weights.update(stored)


@demo(
    title="Handwritten digits",
    examples=[{"picture": "pictures/three.png"}, {"picture": "pictures/seven.png"}, {"picture": "pictures/zero.png"}],
)
def predict(picture: Annotated[Image.Image, Sketch(width=280, height=280, brush=22)]) -> dict[str, float]:
    """Draw a digit; a small network says which it is."""
    pixels = prepare(picture)
    hidden = np.maximum(0, pixels @ weights["w0"] + weights["b0"])
    scores = hidden @ weights["w1"] + weights["b1"]
    odds = np.exp(scores - scores.max())
    return {name: float(odd) for name, odd in zip(NAMES, odds / odds.sum())}


def prepare(picture: Image.Image) -> np.ndarray:
    """A drawing as the network knows digits: the ink alone, 8 by 8, 0 (paper) to 1, as 64 numbers."""
    ink = 255 - np.asarray(picture.convert("L"), dtype=np.float32)
    rows, columns = np.flatnonzero(ink.max(axis=1) > 64), np.flatnonzero(ink.max(axis=0) > 64)
    if len(rows) == 0:
        raise ValueError("the sketch is empty: draw a digit first")
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = max(ink.shape)
    square = np.zeros((side, side), dtype=np.float32)
    top, left = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    small = Image.fromarray(square.astype(np.uint8)).resize((8, 8), Image.Resampling.BOX)
    pixels = np.asarray(small, dtype=np.float32).ravel()
    return pixels / max(float(pixels.max()), 1)
