"""The decorator by which an author says more than types can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class About:
    """What ``@demo`` was given."""

    title: str | None = None
    description: str | None = None
    examples: Sequence[Mapping[str, Any]] = ()
    concurrency: int = 1


def demo(
    *,
    title: str | None = None,
    description: str | None = None,
    examples: Sequence[Mapping[str, Any]] = (),
    concurrency: int = 1,
) -> Callable[[Function], Function]:
    """Says what a demo is called, examples to try (files as paths beside the model), and how many predictions run at a
    time (1 to 64).
    """

    def mark(function: Function) -> Function:
        function.__origami__ = About(title, description, examples, concurrency)  # type: ignore[attr-defined]
        return function

    return mark
