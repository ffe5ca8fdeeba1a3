"""Being told to stop: SIGINT and SIGTERM set a flag that the main loop looks at, so that it can save first."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator


class Interrupted(Exception):
    """The run was told to stop and has saved its checkpoint."""


_told: str | None = None
_parent: int | None = None


def listen(follow_parent: bool = False, on_signal=None) -> None:
    """From now on note SIGINT and SIGTERM instead of dying of them; `on_signal(name)` is called at the first.

    With follow_parent the end of the process that started this one as its worker counts too: a worker whose study was
    killed does not run on. A process that is nobody's worker follows none, so that it outlives its terminal. A second
    Ctrl-C in a process without parent to follow ends it at once. A process that does not even come to note the signal
    ends GRACE_SECONDS later.
    """
    global _parent
    worker_of = multiprocessing.parent_process() if follow_parent else None
    _parent = None if worker_of is None else worker_of.pid
    if follow_parent:
        leave_with_parent()

    def hear(number, frame):  # another signal may arrive anywhere in it, so it takes no lock
        global _told, _noted
        _noted = True
        if _told is not None:
            if number == signal.SIGINT and _parent is None:
                raise KeyboardInterrupt
            return
        _told = signal.Signals(number).name
        if on_signal is not None:
            on_signal(_told)
        elif _parent is None:
            print(f"\n{_told}: saving a checkpoint, then stopping", file=sys.stderr, flush=True)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, hear)
        signal.signal(signal.SIGTERM, hear)
        _leave_if_deaf()


GRACE_SECONDS = 30.0


def leave_with_parent() -> None:
    """In a worker process, end it some time after the process it works for: idle workers would wait for ever.

    The time is for a checkpoint; a worker that has saved its own leaves sooner.
    """
    parent = multiprocessing.parent_process()
    if parent is None or any(thread.name == "leave with parent" for thread in threading.enumerate()):
        return

    def watch():
        while os.getppid() == parent.pid:
            time.sleep(1)
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="leave with parent", daemon=True).start()


_noted = False
_arriving: list[int] = []  # the two ends of a pipe to which the system writes the numbers of signals


def _leave_if_deaf() -> None:
    """End the process some time after a signal that its main thread does not note.

    It stands in compiled code then, most likely in a game's kernel that never ends in some rare position.
    """
    global _noted
    _noted = False
    if not _arriving:
        _arriving.extend(os.pipe())
        os.set_blocking(_arriving[1], False)

        def watch():
            while True:
                number = os.read(_arriving[0], 1)[0]
                if number in (signal.SIGINT, signal.SIGTERM) and not _noted_in_time():
                    print(f"\n{signal.Signals(number).name}: compiled code has run for {GRACE_SECONDS:g} s since, so "
                          "nothing can be saved, and the program ends here; the same command goes on from the last "
                          "checkpoint. If this comes again, a kernel of the game does not end",
                          file=sys.stderr, flush=True)  # fmt: skip
                    os._exit(130)

        threading.Thread(target=watch, name="leave if deaf", daemon=True).start()
    signal.set_wakeup_fd(_arriving[1], warn_on_full_buffer=False)


def _noted_in_time() -> bool:
    deadline = time.monotonic() + GRACE_SECONDS
    while not _noted and time.monotonic() < deadline:
        time.sleep(0.1)
    return _noted


def told() -> str | None:
    """Why to stop: the signal's name, or that the parent is gone; None to go on."""
    if _told is None and parent_gone():
        return "the end of the study's process"
    return _told


def parent_gone() -> bool:
    """Whether the process that this one works for has ended."""
    return _parent is not None and os.getppid() != _parent


@contextlib.contextmanager
def as_ctrl_c() -> Iterator[None]:
    """Within, SIGTERM is a Ctrl-C: it raises KeyboardInterrupt, so that workers are ended and temporary files go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def forget() -> None:
    """Go on as if nothing had been said, with the usual handlers; for what follows in the same process."""
    global _told, _parent
    _told, _parent = None, None
    if threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
