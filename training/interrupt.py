"""Being told to stop: SIGINT and SIGTERM set a flag that the main loop looks at, so that it can save first."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time


class Interrupted(Exception):
    """The run was told to stop and has saved its checkpoint."""


_told: str | None = None
_parent: int | None = None


def listen(follow_parent: bool = False, on_signal=None) -> None:
    """From now on note SIGINT and SIGTERM instead of dying of them; `on_signal(name)` is called at the first.

    With follow_parent the end of the process that started this one as its worker counts too: a worker whose study was
    killed does not run on. A process that is nobody's worker follows none, so that it outlives its terminal. A second
    Ctrl-C in a process without parent to follow ends it at once.
    """
    global _parent
    worker_of = multiprocessing.parent_process() if follow_parent else None
    _parent = None if worker_of is None else worker_of.pid
    if follow_parent:
        leave_with_parent()

    def hear(number, frame):
        global _told
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


def told() -> str | None:
    """Why to stop: the signal's name, or that the parent is gone; None to go on."""
    if _told is None and parent_gone():
        return "the end of the study's process"
    return _told


def parent_gone() -> bool:
    """Whether the process that this one works for has ended."""
    return _parent is not None and os.getppid() != _parent


def forget() -> None:
    """Go on as if nothing had been said, with the usual handlers; for what follows in the same process."""
    global _told, _parent
    _told, _parent = None, None
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
