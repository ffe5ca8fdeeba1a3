"""Calling the commands of experiments/ in the tests: in this process, or as processes that can be killed."""

import contextlib
import functools
import importlib
import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple
from unittest import mock

import psutil
import pytest
from hydra.core.config_store import ConfigStore

from experiments.command import run_application
from training import interrupt

ROOT = pathlib.Path(__file__).parents[2]

TINY_RUN = [
    "game.size=3", "network.width=6", "network.depth=1", "training.positions=8000", "training.games=16",
    "training.budget=8", "training.replay_positions=500", "training.batch=32", "training.steps_per_move=1",
    "training.snapshots_per_decade=4", "training.checkpoint_seconds=0.2", "training.learning_rate=0.003",
    "search.c=1.5",
]  # fmt: skip
TINY_STUDY = [
    "-m", *TINY_RUN, "game.size=2,3", "network.width=2,6", "study.name=tiny", "arena.budgets=[1,4]", "arena.openings=4",
    "arena.rounds=2", "arena.opponents=1",
]  # fmt: skip


class Ended(NamedTuple):
    status: int
    out: str
    err: str


class TooLate(Exception):
    """What was to be killed had come to its end: this process was held up for seconds, as happens on busy machines."""


def call(module: str, *arguments: str) -> Ended:
    """`python -m MODULE ARGUMENTS`, in this process."""
    out, err = io.StringIO(), io.StringIO()
    application = importlib.import_module(module).main
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", [module, *arguments]))
        stack.enter_context(mock.patch.dict(os.environ))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.callback(interrupt.forget)
        stack.callback(forget_outside)
        try:
            run_application(application)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Ended(status, out.getvalue(), err.getvalue())


def forget_outside() -> None:
    """Take the games and networks from outside that a command was given off Hydra's choices, as its end would."""
    for group in ("game", "network"):
        known = ConfigStore.instance().repo.get(group, {})
        for name in [name for name in known if ":" in name]:
            del known[name]


def lines(text: str) -> list[str]:
    """Lines of a terminal without progress bars."""
    return [line for line in text.split("\n") if line.strip() and "\r" not in line and "it/s" not in line]


def start(*arguments: str, program: tuple[str, ...] = ("-m", "experiments.train"), **more) -> subprocess.Popen:
    """A process in a group of its own, so that it can be killed with all it has started.

    What it prints goes to files: its workers may outlive it, and a pipe would have to wait for them.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    out, err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")  # noqa: SIM115
    process = subprocess.Popen([sys.executable, *program, *arguments], cwd=ROOT, env=environment,
                               start_new_session=True, stdout=out, stderr=err, **more)  # fmt: skip
    process.files = out, err
    return process


def written(process: subprocess.Popen) -> str:
    """What the process has written to stderr so far; the writer's place in the file stays as it is."""
    descriptor = process.files[1].fileno()
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")


def finish(process: subprocess.Popen, seconds: float = 400) -> Ended:
    process.wait(timeout=seconds)
    texts = []
    for file in process.files:
        file.seek(0)
        texts.append(file.read())
        file.close()
    return Ended(process.returncode, *texts)


def kill(process: subprocess.Popen, number: int = signal.SIGKILL, group: bool = False) -> Ended:
    """Signal a process, or its whole group, and wait for its end."""
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    return finish(process)


def disturb(process: subprocess.Popen, number: int = signal.SIGKILL, group: bool = False) -> Ended:
    """`kill` a process in the midst of its work; raises TooLate if it has done all of it."""
    ended = kill(process, number, group)
    if ended.status == 0:
        raise TooLate
    return ended


def in_time(test):
    """Let a test begin anew, in another folder, whenever it comes too late; at the fifth time it fails."""

    @functools.wraps(test)
    def tried(*args, tmp_path, **fixtures):
        for number in range(5):
            folder = tmp_path / f"try{number}"
            folder.mkdir()
            with contextlib.suppress(TooLate):
                return test(*args, tmp_path=folder, **fixtures)
        pytest.fail("five times the process had ended before it could be disturbed")

    return tried


def members(process: subprocess.Popen) -> list[int]:
    """Processes of the group of `process` that are still at work, itself included."""
    found = []
    for other in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(other.pid) == process.pid and "resource_tracker" not in " ".join(other.cmdline()):
                found.append(other.pid)
    return found


def wait_for(condition, process: subprocess.Popen, seconds: float = 300) -> bool:
    """Wait until `condition()` holds; False if the process ends before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    raise TimeoutError(f"waited {seconds} s; so far: {written(process)[-2000:]}")


def snapshots(folder: pathlib.Path) -> dict[str, bytes]:
    """The snapshot files below a run's or a study's folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("snapshots/*"))}


def everything(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
