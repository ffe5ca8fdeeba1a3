"""Training that is told to stop: it notes the signal, and its main loop, which looks for that, saves first."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable

from games import stopping


class Interrupted(Exception):
    """The run was told to stop and has saved its checkpoint."""


_parent: int | None = None
_listening = contextlib.ExitStack()


def listen(follow_parent: bool = False, on_signal: Callable[[str], None] | None = None) -> None:
    """From now on note signals to stop instead of dying of them; `on_signal(name)` is called at the first.

    With follow_parent the end of the process that started this one as its worker counts too: a worker whose study was
    killed does not run on. A process that is nobody's worker follows none, so that it outlives its terminal. A second
    Ctrl-C in a process without parent to follow ends it at once. A process that does not even come to note the signal
    ends `stopping.GRACE_SECONDS` later.
    """
    global _parent
    worker_of = multiprocessing.parent_process() if follow_parent else None
    _parent = None if worker_of is None else worker_of.pid
    if follow_parent:
        leave_with_parent()

    def note(name: str, again: bool) -> None:
        if again:
            if name == signal.SIGINT.name and _parent is None:
                raise KeyboardInterrupt
        elif on_signal is not None:
            on_signal(name)
        elif _parent is None:
            stopping.say(f"{name}: saving a checkpoint, then stopping")

    _listening.enter_context(stopping.heard_by(note))


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
        time.sleep(stopping.GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="leave with parent", daemon=True).start()


def told() -> str | None:
    """Why to stop: the signal's name, or that the parent is gone; None to go on."""
    if stopping.heard is None and parent_gone():
        return "the end of the study's process"
    return stopping.heard


def parent_gone() -> bool:
    """Whether the process that this one works for has ended."""
    return _parent is not None and os.getppid() != _parent


def forget() -> str | None:
    """Go on as if nothing had been said, with the handlers from before `listen`; returns what `told` would."""
    global _parent
    _listening.close()
    why = told()
    stopping.forget()
    _parent = None
    return why
