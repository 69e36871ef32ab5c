"""How a prediction ended, as messages to the runtime."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any


def send_done(send: Callable[..., None], name: str, output: dict[str, Any], marked: bool) -> None:
    """Sends the output; where it cannot be sent, why not. ``marked``: whether both terminals say that it ended."""
    try:
        send(type="done", id=name, output=output, marked=marked)
    except ValueError as error:
        send(type="failed", id=name, error=f"the output: {error}", traceback=trace_of(error), marked=marked)


def send_failed(send: Callable[..., None], name: str, error: BaseException, marked: bool) -> None:
    """Sends what was raised."""
    send(type="failed", id=name, error=words_of(error), traceback=trace_of(error), marked=marked)


def words_of(error: BaseException) -> str:
    """What was raised, in one line or few."""
    if isinstance(error, SystemExit):
        return f"the model ended itself: exit({error.code!r})"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def trace_of(error: BaseException) -> str:
    """The last lines of the traceback."""
    return "".join(traceback.format_exception(type(error), error, error.__traceback__)[-12:]).rstrip()
