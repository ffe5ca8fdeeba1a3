"""A watch over the rules of a game while they are checked: a kernel that never ends hears neither Ctrl-C nor the clock.

Kernels let other threads run, so a thread looks every LOOK_SECONDS whether the main thread still stands in one call of
a kernel. Time is the process's own, so a busy machine changes nothing, and what numba compiles is not counted: then the
main thread stands in numba.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from games import core
from games.promises.source import Interpreted
from games.stopping import SIGNALS

PATIENCE_SECONDS = 10.0
"""Of computing, for one call: a kernel in plain Python over one position, or compiled over a batch. In the games of the
collection and of OpenSpiel the longest take 0.001 s and 0.01 s."""

DEAF_SECONDS = 2.0  # from a signal to its effect
LOOK_SECONDS = 0.1

_KERNELS = {"reset": "reset", "legal": "legal", "observe": "observe", "advance": "apply",
            "step": "apply, legal or observe", "step_at": "apply, legal or observe"}  # fmt: skip
"""What the methods of `Game` that run compiled kernels call."""


@contextlib.contextmanager
def watched(what: str) -> Iterator[None]:
    """End the program with status 2 and a line about `what` if a kernel called within takes longer than any should.

    A signal to stop ends it within a few seconds, even in compiled code. Only the main thread is watched, where signals
    arrive.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _Watch(what)
    former = signal.set_wakeup_fd(watch.signals[1], warn_on_full_buffer=False)
    watch.start()
    try:
        yield
    except KeyboardInterrupt:
        if watch.found is None:
            raise
        print(watch.found, file=sys.stderr)
        sys.exit(2)
    finally:
        signal.set_wakeup_fd(former)
        os.write(watch.signals[1], _END)
        watch.join()
        for end in watch.signals:
            os.close(end)


_END = b"\0"  # where numbers of signals arrive, that of none


class _Watch(threading.Thread):
    """Looks at the thread that makes it, until it reads _END."""

    def __init__(self, what: str):
        super().__init__(name="watch over kernels", daemon=True)
        self.what, self.thread = what, threading.get_ident()
        self.found: str | None = None  # of a kernel that never ends
        self.signals = os.pipe()
        os.set_blocking(self.signals[1], False)

    def run(self) -> None:
        standing, since = None, 0.0
        while (heard := self._heard(LOOK_SECONDS)) != _END:
            if heard and heard[0] in SIGNALS:
                self._end_unless_left("stopped", 130)
                return
            call = _kernel_call(sys._current_frames()[self.thread])
            if call is not standing:
                standing, since = call, time.process_time()
            elif call is not None and time.process_time() - since > PATIENCE_SECONDS:
                self.found = _told(self.what, call, sys._current_frames()[self.thread])
                _thread.interrupt_main()  # enough where the kernel runs in plain Python
                self._end_unless_left(self.found, 2)
                return

    def _heard(self, seconds: float) -> bytes | None:
        """The next signal's number or _END; None if there is nothing within `seconds`."""
        return os.read(self.signals[0], 1) if select.select([self.signals[0]], [], [], seconds)[0] else None

    def _end_unless_left(self, words: str, status: int) -> None:
        """Wait for _END; without it, the main thread is deaf, and the program ends here."""
        deadline = time.monotonic() + DEAF_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            if self._heard(left) == _END:
                return
        print(words, file=sys.stderr, flush=True)
        os._exit(status)


def _kernel_call(top: FrameType) -> FrameType | None:
    """The frame that lasts as long as the one call of a kernel in which a thread with the frame `top` stands."""
    if top.f_code.co_filename == core.__file__ and top.f_code.co_name in _KERNELS:
        return top
    frame = top
    while (caller := frame.f_back) is not None:
        if caller.f_code is Interpreted._each.__code__:
            return frame
        frame = caller
    return None


def _told(what: str, call: FrameType, top: FrameType) -> str:
    if call.f_code.co_filename == core.__file__:
        kernel = f"{_KERNELS[call.f_code.co_name]}, compiled,"
    else:
        place = f"{Path(top.f_code.co_filename).name}, line {top.f_lineno}"
        kernel = f"{call.f_code.co_name}, in plain Python ({place}),"
    return (f"error: {what}: {kernel} has not come back after {PATIENCE_SECONDS:g} s of computing: expected every "
            "kernel to end, in far less than a second; give its loop a way out, such as a mark on each cell that a "
            "flood fill has seen")  # fmt: skip
