"""From what ``predict`` gives to what the runtime takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from inspect import isasyncgen, isawaitable, isgenerator
from pathlib import Path
from typing import Any

from .call import Call
from .describe import Field, Model
from .plain import is_unfinished
from .refused import type_name


_NOWHERE = Path()


def outbox_of(message: dict[str, Any]) -> Path:
    """The folder for the files of a prediction. Where its demo gives none, there is none, and it is never looked at."""
    name = message["outbox"]
    return Path(name) if name else _NOWHERE


def arguments(model: Model, sent: dict[str, Any]) -> dict[str, Any]:
    """The inputs from the wire as ``predict`` wants them."""
    return {
        field.name: field.default
        if sent.get(field.name) is None
        else field.component.read(sent[field.name], field.kind)
        for field in model.inputs
    }


class Answer:
    """What a prediction gave so far, by field name."""

    def __init__(self, model: Model, call: Call, outbox: Path) -> None:
        self._model = model
        self._call = call
        self._outbox = outbox
        self.fields: dict[str, Any] = {}

    def whole(self, result: Any) -> dict[str, Any]:
        """All outputs at once. Raises TypeError, ValueError, FileNotFoundError that name the output."""
        self.fields = self._written(result)
        return self.fields

    def add(self, part: Any) -> None:
        """One of many pieces: text of a single output grows, everything else is replaced."""
        for name, chunk in self._written(part).items():
            grows = self._grows(name)
            if grows and chunk is None:
                continue
            self.fields[name] = self.fields.get(name, "") + chunk if grows else chunk
            self._call.part(name, "append" if grows else "replace", chunk)

    def _grows(self, name: str) -> bool:
        only = self._model.outputs
        return len(only) == 1 and only[0].name == name and only[0].component.grows

    def _written(self, result: Any) -> dict[str, Any]:
        named = self._by_name(result)
        present = [field for field in self._model.outputs if field.name in named]
        return {field.name: _write(field, named[field.name], self._outbox) for field in present}

    def _by_name(self, result: Any) -> Mapping[str, Any]:
        outputs = self._model.outputs
        if not self._model.several:
            return {outputs[0].name: result}
        if is_dataclass(result) and not isinstance(result, type):
            return {field.name: getattr(result, field.name) for field in outputs}
        if hasattr(result, "_asdict"):
            return result._asdict()
        if isinstance(result, Mapping):
            return result
        names = ", ".join(field.name for field in outputs)
        raise TypeError(f"expected the outputs {names} by name, got {type_name(type(result))}")


def pieces_of(model: Model, result: Any) -> Iterator[Any] | AsyncIterator[Any] | None:
    """The pieces of a result that comes piece by piece; None where it is the answer itself."""
    if isgenerator(result) or isasyncgen(result):
        return result
    if not model.streaming:
        return None
    if hasattr(result, "__aiter__"):
        return result.__aiter__()
    is_whole = isinstance(result, (str, bytes, Mapping)) or hasattr(result, "_fields")
    return iter(result) if isinstance(result, Iterable) and not is_whole else None


async def awaited(model: Model, answer: Answer, result: Any) -> dict[str, Any]:
    """The output of a prediction whose result is awaited, or comes piece by piece.

    What it opened is closed, awaiting it, however it ends.
    """
    while isawaitable(result):
        result = await result
    pieces = pieces_of(model, result)
    if pieces is None:
        return answer.whole(result)
    try:
        if isinstance(pieces, AsyncIterator):
            async for part in pieces:
                answer.add(part)
        else:
            for part in pieces:
                answer.add(part)
                await asyncio.sleep(0)  # Other predictions get their turn, and a cancel can arrive.
    finally:
        await _close(pieces)
    return answer.fields


async def _close(pieces: Any) -> None:
    if isasyncgen(pieces):
        await pieces.aclose()
    elif isgenerator(pieces):
        pieces.close()


def _write(field: Field, value: Any, outbox: Path) -> Any:
    if value is None:
        return None
    try:
        if is_unfinished(value):
            raise TypeError(f"a {type(value).__name__} is no answer; await it, or give what it yields")
        return field.component.write(value, outbox)
    except (TypeError, ValueError, FileNotFoundError) as error:
        kind = next(kind for kind in (TypeError, ValueError, FileNotFoundError) if isinstance(error, kind))
        raise kind(f"output {field.name}: {error}") from error
    except RecursionError as error:
        raise ValueError(f"output {field.name}: it is nested too deep, or holds itself") from error
