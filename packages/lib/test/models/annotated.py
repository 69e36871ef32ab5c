from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Optional

from origami import Markdown, Slider


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Answer:
    words: Annotated[str, Markdown()]
    mood: dict[str, float]
    copy: Path


class Predictor:
    def setup(self) -> None:
        self.ready = "ready"

    def predict(
        self,
        size: Size,
        heat: Annotated[float, Slider(0, 2)] = 1,
        paper: Optional[Path] = None,
        data: Any = None,
    ) -> Answer:
        """Each type once.

        Args:
            heat: How warm.
        """
        return Answer(f"**{self.ready}** {size.name} {heat} {paper.read_text() if paper else 'none'} {data}", {"glad": 0.5}, paper or Path(__file__))
