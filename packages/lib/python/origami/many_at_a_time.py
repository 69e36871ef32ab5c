"""Predictions of an ``async`` function: as many at a time as its concurrency, as tasks of one event loop.

A cancel cancels the task.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from .answers import Answer, arguments, awaited, outbox_of
from .call import Call, during
from .describe import Model
from .ends import send_done, send_failed, trace_of
from .runtime import AHEAD, Runtime
from .terminal import Terminals


class ManyAtATime:
    """``take`` is called by the thread that hears the runtime, all else by the loop in the main thread."""

    def __init__(self, runtime: Runtime, terminals: Terminals, model: Model, loop: asyncio.AbstractEventLoop) -> None:
        self.slots = model.about.concurrency
        self._runtime = runtime
        self._terminals = terminals
        self._model = model
        self._loop = loop
        self._tasks: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._cancels: set[str] = set()
        #: The calls that wait for their turn, in order.
        self._waiting: dict[str, dict[str, Any]] = {}

    def room(self) -> dict[str, int]:
        """What the runtime is told: how many calls run at once, and how many more may wait here.

        With one at a time none wait: the terminals could not say which one printed.
        """
        return {"slots": self.slots, "ahead": AHEAD} if self.slots > 1 else {}

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "predict":
            self._loop.call_soon_threadsafe(self._arrive, message)
        else:
            self._loop.call_soon_threadsafe(self._cancel, message["id"])

    def work(self) -> None:
        while True:  # When a model stops the loop, it is run again.
            self._loop.run_forever()

    def _arrive(self, message: dict[str, Any]) -> None:
        self._waiting[message["id"]] = message
        self._start_next()

    def _start_next(self) -> None:
        while self._waiting and len(self._tasks) < self.slots:
            self._start(self._waiting.pop(next(iter(self._waiting))))

    def _start(self, message: dict[str, Any]) -> None:
        call = Call(message["id"], self._runtime.send, apart=self.slots > 1)
        task = self._loop.create_task(self._predict(call, message))
        self._tasks[call.name] = task
        task.add_done_callback(partial(self._end, call))

    def _cancel(self, name: str) -> None:
        if self._waiting.pop(name, None) is not None:
            self._runtime.send(type="canceled", id=name, marked=False)
        elif name in self._tasks:
            self._cancels.add(name)
            self._tasks[name].cancel()

    async def _predict(self, call: Call, message: dict[str, Any]) -> dict[str, Any]:
        model = self._model
        with during(call):
            try:
                answer = Answer(model, call, outbox_of(message))
                return await awaited(model, answer, model.function(**arguments(model, message["input"])))
            except SystemExit as error:
                # Let through, it would end the loop, and with it all other predictions.
                raise RuntimeError(f"the model called exit({error.code!r})") from error

    def _end(self, call: Call, task: asyncio.Task[dict[str, Any]]) -> None:
        name, send = call.name, self._runtime.send
        canceled = name in self._cancels
        del self._tasks[name]
        self._cancels.discard(name)
        failure = asyncio.CancelledError("the model canceled its own task") if task.cancelled() else task.exception()
        if failure is not None and canceled and not task.cancelled():
            self._print(call, f"{trace_of(failure)}\n")
        call.close()
        marked = self._terminals.mark(name) if self.slots == 1 else False
        if failure is not None and canceled:
            send(type="canceled", id=name, marked=marked)
        elif failure is not None:
            send_failed(send, name, failure, marked)
        else:
            send_done(send, name, task.result(), marked)
        self._start_next()

    def _print(self, call: Call, text: str) -> None:
        """What a cleanup raised after a cancel: its author wants to see it, the visitor has gone."""
        if not (call.apart and call.printed("stderr", text)):
            self._terminals.error(text)
