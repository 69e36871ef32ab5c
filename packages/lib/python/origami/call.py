"""The prediction under way, as the model sees it."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[float, "float | None", "str | None"], None]

_tell: Tell | None = None


class Canceled(BaseException):
    """Raised in ``predict`` when the visitor cancels. Like KeyboardInterrupt it is no Exception: ``except Exception`` lets it pass."""


def progress(done: float, total: float | None = None, note: str | None = None) -> None:
    """Tells how far the prediction is. Outside of one it does nothing."""
    if _tell is not None:
        _tell(done, total, note)


def telling(tell: Tell | None) -> None:
    """Where ``progress`` goes, from now on."""
    global _tell
    _tell = tell
