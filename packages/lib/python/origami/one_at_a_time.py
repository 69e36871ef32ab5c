"""Predictions of an ordinary function: one after another, in the main thread. A cancel is raised in it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import deque
from collections.abc import Awaitable
from contextlib import closing, nullcontext
from inspect import isawaitable, isgenerator
from time import monotonic  # Its own name, since models may replace that of the module.
from typing import Any

from .answers import Answer, arguments, awaited, outbox_of, pieces_of
from .call import Call, Canceled, during
from .describe import Model
from .ends import send_done, send_failed
from .hearing import Hearing
from .plain import is_simple
from .runtime import AHEAD, Runtime
from .terminal import Terminals


#: After the runtime has heard an end, it reads nothing of what is printed for twice as long, in seconds.
SOON = 0.015


class OneAtATime:
    """``take`` is called by the thread that hears the runtime, all else by the main thread."""

    def __init__(
        self,
        runtime: Runtime,
        terminals: Terminals,
        model: Model,
        loop: asyncio.AbstractEventLoop,
        hearing: Hearing,
    ) -> None:
        self._runtime = runtime
        self._terminals = terminals
        self._model = model
        self._loop = loop
        self._hearing = hearing
        self._calls: deque[dict[str, Any]] = deque()
        self._cancels: set[str] = set()
        self._known: set[str] = set()
        #: The prediction in which a cancel may be raised now.
        self._current: str | None = None
        self._task: asyncio.Future[Any] | None = None
        self._sending = False
        #: The prediction that ended last, where no mark on the terminals says so.
        self._unmarked: str | None = None
        #: When the end of the last one was sent, and of the one before it.
        self._ends = (0.0, 0.0)
        #: How many of the next ones begin behind a mark, as the runtime may read at once what they print.
        self._to_mark = 0
        self._main = threading.main_thread()
        signal.signal(signal.SIGUSR1, lambda *_: self._interrupt())

    def room(self) -> dict[str, int]:
        """What the runtime is told: how many calls may wait here for their turn."""
        return {"ahead": AHEAD}

    def take(self, message: dict[str, Any]) -> None:
        name = message["id"]
        if message["type"] == "predict":
            self._known.add(name)
            self._calls.append(message)
        elif name in self._known:
            self._cancels.add(name)
            if name == self._current:
                # The signal goes to the main thread, so that it wakes from what it waits for.
                signal.pthread_kill(self._main.ident or 0, signal.SIGUSR1)

    def work(self) -> None:
        self._hearing.end()
        while True:
            # A call that waits here already may have been canceled meanwhile.
            self._hearing.hear(wait=not self._calls)
            if self._calls:
                self._hearing.begin()
                self._predict(self._calls.popleft())
                self._hearing.end()

    def _predict(self, message: dict[str, Any]) -> None:
        name = message["id"]
        if name in self._cancels:
            return self._end(name, {}, Canceled())
        if message.get("ahead"):
            self._mark_before()
        output: dict[str, Any] = {}
        failure: BaseException | None = None
        call = Call(name, self._send)
        try:
            try:
                self._current = name
                self._interrupt()
                with during(call):
                    output = self._run(call, message)
            finally:
                # From here on nothing is raised in this thread any more: `_interrupt` looks at this first.
                self._current = None
        except (Exception, SystemExit, Canceled, asyncio.CancelledError) as error:
            failure = error
        call.close()
        self._end(name, output, failure)

    def _end(self, name: str, output: dict[str, Any], failure: BaseException | None) -> None:
        own_cancel = isinstance(failure, asyncio.CancelledError) and name in self._cancels
        canceled = own_cancel or isinstance(failure, Canceled)
        self._known.discard(name)
        self._cancels.discard(name)
        marked = self._terminals.mark(name)
        self._unmarked = None if marked else name
        self._ends = (monotonic(), self._ends[0])
        if canceled:
            self._runtime.send(type="canceled", id=name, marked=marked)
        elif failure is not None:
            send_failed(self._runtime.send, name, failure, marked)
        else:
            send_done(self._runtime.send, name, output, marked)

    def _mark_before(self) -> None:
        """Marks the end of the one before, unless the runtime hears of it before it reads what is printed now.

        Otherwise it would take for that one's what the next ones print, all of which it may have written already.
        """
        if monotonic() - self._ends[1] > SOON:
            self._to_mark = 1 + AHEAD
        if self._to_mark > 0:
            self._to_mark -= 1
            if self._unmarked is not None:
                self._terminals.mark(self._unmarked, always=True)

    def _run(self, call: Call, message: dict[str, Any]) -> dict[str, Any]:
        model = self._model
        answer = Answer(model, call, outbox_of(message))
        result = model.function(**arguments(model, message["input"]))
        if is_simple(result):
            return answer.whole(result)
        if isawaitable(result) or hasattr(result, "__aiter__"):
            return self._await(awaited(model, answer, result))
        pieces = pieces_of(model, result)
        if pieces is None:
            return answer.whole(result)
        with closing(pieces) if isgenerator(pieces) else nullcontext():
            for part in pieces:
                answer.add(part)
        return answer.fields

    def _await(self, result: Awaitable[Any]) -> Any:
        self._task = asyncio.ensure_future(result, loop=self._loop)
        try:
            return self._loop.run_until_complete(self._task)
        finally:
            self._task = None

    def _send(self, **message: Any) -> None:
        """Sends from within the prediction. A cancel waits until the message is whole."""
        if threading.current_thread() is not self._main:
            return self._runtime.send(**message)
        self._sending = True
        try:
            self._runtime.send(**message)
        finally:
            self._sending = False
        self._interrupt()

    def _interrupt(self) -> None:
        """Raises Canceled in the main thread when the prediction there is to be canceled; once."""
        if self._current is None or self._current not in self._cancels or self._sending:
            return
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        else:
            self._current = None
            raise Canceled
