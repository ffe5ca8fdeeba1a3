"""Being told to stop: Ctrl-C, SIGTERM, and SIGHUP of a terminal that is closed.

Commands end by KeyboardInterrupt. Training notes the signal and saves first: training.interrupt.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker

from numba.core.compiler_lock import global_compiler_lock

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 30.0  # from a signal to the end of a process that does not come to hear it

heard: str | None = None
"""The name of the first signal to stop."""


@contextlib.contextmanager
def heard_by(handler: Callable[[str, bool], None]) -> Iterator[None]:
    """Within, `handler(name, again)` is called at signals to stop, in the main thread alone.

    again: whether it is not the first. Under nohup SIGHUP stays ignored. Another signal may arrive anywhere in a
    handler, so it takes no lock.
    """

    def hear(number, frame):
        global heard, _hears
        _hears = True
        again, name = heard is not None, signal.Signals(number).name
        heard = heard or name
        handler(name, again)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for number in SIGNALS
               if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]  # fmt: skip
    former = {number: signal.signal(number, hear) for number in numbers}
    descriptor = _leave_if_deaf()
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, other in former.items():
            signal.signal(number, other)


@contextlib.contextmanager
def as_ctrl_c() -> Iterator[None]:
    """Within, each signal to stop raises KeyboardInterrupt, so that workers are ended and temporary files go.

    What numba compiles is waited for: broken off, it leaves LLVM with objects that are freed twice, a segmentation
    fault at the end of the program. A second signal raises at once.
    """

    waiting, thread = False, threading.get_ident()

    def stop(name, again):
        nonlocal waiting
        waiting = not again and global_compiler_lock.is_locked()
        if not waiting:
            raise KeyboardInterrupt
        say(f"{name}: stopping, once a kernel is compiled")
        _thread.start_new_thread(raise_when_compiled, ())

    def raise_when_compiled():
        with global_compiler_lock:
            if waiting:
                signal.pthread_kill(thread, signal.SIGINT)

    forget()
    with heard_by(stop):
        try:
            yield
        finally:
            waiting = False


@contextlib.contextmanager
def unheard_by_children() -> Iterator[None]:
    """Processes started within never hear the terminal: they would tell of its Ctrl-C while Python loads in them."""
    terminal = (signal.SIGINT, signal.SIGHUP)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, terminal)
    try:
        resource_tracker.ensure_running()  # of multiprocessing, which lets SIGINT in again when it begins
        signal.pthread_sigmask(signal.SIG_BLOCK, terminal)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def forget() -> None:
    """Go on as if nothing had been heard."""
    global heard
    heard = None


def say(words: str) -> None:
    """Print a line to stderr from a handler, unless the signal came while this thread was writing there."""
    with contextlib.suppress(RuntimeError):
        print(f"\n{words}", file=sys.stderr, flush=True)


_hears = False  # whether the main thread has ever heard one; what `forget` forgets is not to look as if it were deaf
_arriving: list[int] = []  # the two ends of a pipe to which the system writes the numbers of signals


def _leave_if_deaf() -> int:
    """End the process some time after a signal that its main thread does not hear; returns who was woken before.

    It stands in compiled code then, most likely in a game's kernel that never ends in some rare position.
    """
    if not _arriving:
        _arriving.extend(os.pipe())
        os.set_blocking(_arriving[1], False)

        def watch():
            while True:
                number = os.read(_arriving[0], 1)[0]
                if number in SIGNALS and not _heard_in_time():
                    print(f"\n{signal.Signals(number).name}: compiled code has run for {GRACE_SECONDS:g} s since, so "
                          "nothing can be saved, and the program ends here; the same command goes on from what was "
                          "saved last. If this comes again, a kernel of the game does not end",
                          file=sys.stderr, flush=True)  # fmt: skip
                    os._exit(130)

        threading.Thread(target=watch, name="leave if deaf", daemon=True).start()
    return signal.set_wakeup_fd(_arriving[1], warn_on_full_buffer=False)


def _heard_in_time() -> bool:
    deadline = time.monotonic() + GRACE_SECONDS
    while not _hears and time.monotonic() < deadline:
        time.sleep(0.1)
    return _hears
