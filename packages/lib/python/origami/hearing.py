"""Who hears the runtime: the main thread between predictions, and a thread of its own while one takes long."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import sleep  # Its own name, since models may replace that of the module.
from typing import Any

from .runtime import Runtime

#: For how long a prediction runs before the other thread hears the runtime, in seconds. Handing over costs more than a
#: short prediction.
PATIENCE = 0.01

Take = Callable[[dict[str, Any]], None]


class Hearing:
    """Gives messages to ``take`` in order, and ends this process when the runtime goes away, whatever the model does.

    It begins as if the main thread were busy, which is true while the model is loaded.
    """

    def __init__(self, runtime: Runtime, take: Take) -> None:
        self._runtime = runtime
        self._take = take
        self._reading = threading.Lock()
        #: Counts what the main thread does, so that the other one sees whether it is still at the same.
        self._task = 0
        self._busy = True
        self._resting = False
        self._wake: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=self._watch, daemon=True).start()

    def begin(self) -> None:
        """From now on the main thread is busy."""
        self._task += 1
        self._busy = True
        if self._resting:
            self._resting = False
            self._wake.put(None)

    def end(self) -> None:
        """The main thread is not busy any more, and calls ``hear`` when it wants more."""
        self._busy = False

    def hear(self, wait: bool) -> None:
        """Takes what came; waits for something where it is asked to."""
        with self._reading:
            self._hear(wait)

    def _hear(self, wait: bool) -> None:
        try:
            messages = self._runtime.receive(wait)
            for message in messages or ():
                self._take(message)
        except Exception as error:
            os.write(2, f"origami: the runtime sent what is not understood: {type(error).__name__}: {error}\n".encode())
            os._exit(1)
        if messages is None:
            os._exit(0)

    def _watch(self) -> None:
        came = select.poll()
        came.register(self._runtime.fileno(), select.POLLIN)
        while True:
            self._rest()
            task = self._task
            sleep(PATIENCE)
            while self._is_still(task):
                came.poll()
                with self._reading:
                    if self._is_still(task):
                        self._hear(wait=False)

    def _rest(self) -> None:
        """Waits until the main thread is busy."""
        while not self._busy:
            self._resting = True
            if not self._busy:  # Looked at again: it may have begun before it could see that this thread rests.
                self._wake.get()
            self._resting = False

    def _is_still(self, task: int) -> bool:
        return self._busy and self._task == task
