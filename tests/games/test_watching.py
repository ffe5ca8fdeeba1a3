"""Rules that never end are told in a line, and Ctrl-C is heard in them; slow compiling and healthy games are not."""

import pathlib
import signal
import subprocess
import sys
import time

import psutil
import pytest
from endless import Endless

from games import watching
from games.conformance import check_game, main, refuse_unsound

FOLDER = pathlib.Path(__file__).parent


def start(what):
    return subprocess.Popen([sys.executable, str(FOLDER / "endless.py"), what], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)  # fmt: skip


@pytest.mark.parametrize(
    ("game", "where"),
    [("Endless", r"legal, in plain Python (endless.py, line "), ("EndlessCompiled", "observe, compiled,")],
)
def test_a_kernel_that_never_ends_ends_the_check_in_a_line(game, where):
    process = start(game)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert out.splitlines()[-1].startswith("check_kernels_of_one_file")
    assert err.startswith(f"error: endless:{game}: check_plain_python: {where}")
    assert "has not come back after 0.5 s of computing: expected every kernel to end" in err
    assert "give its loop a way out" in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(("when", "number", "words"),
                         [("watched", signal.SIGINT, "stopped"), ("watched", signal.SIGTERM, "stopped"),
                          ("played", signal.SIGINT, "from what was saved last"),
                          ("trained", signal.SIGTERM, "from what was saved last")])  # fmt: skip
def test_signals_are_heard_in_compiled_rules(when, number, words):
    process = start(when)
    assert process.stdout.readline() == "ready\n"
    computed = psutil.Process(process.pid).cpu_times().user + 0.3
    while psutil.Process(process.pid).cpu_times().user < computed:  # it is in the kernel then
        time.sleep(0.01)
    process.send_signal(number)
    assert words in process.communicate(timeout=300)[1]
    assert process.returncode == 130


def test_a_signal_that_training_notes_ends_nothing():
    script = ["import os, signal, time", "from games import stopping", "from training import interrupt",
              "stopping.GRACE_SECONDS = 1",
              "interrupt.listen(on_signal=print)", "os.kill(os.getpid(), signal.SIGTERM)", "interrupt.forget()",
              "interrupt.listen()", "time.sleep(2)", "print(interrupt.told())"]  # fmt: skip
    ended = subprocess.run([sys.executable, "-c", "\n".join(script)], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "SIGTERM\nNone\n", "")


NESTED = """
import signal, sys, threading
from games import stopping
from training import interrupt

depth, lines = 0, 0

def another(frame, event, argument):
    global depth, lines
    if depth < 2 and frame.f_code.co_filename in (stopping.__file__, interrupt.__file__, threading.__file__):
        depth, lines = depth + 1, lines + 1
        signal.raise_signal(signal.SIGTERM)
        depth -= 1
    return another

interrupt.listen(on_signal=lambda name: None)
sys.settrace(another)
signal.raise_signal(signal.SIGTERM)
sys.settrace(None)
print(lines >= 5, interrupt.told())
"""
"""A signal on every line of the handler of another."""


def test_a_signal_within_the_handler_of_another_hangs_nothing():
    """As when a terminal's Ctrl-C reaches a worker and the study tells it to stop in the same moment."""
    ended = subprocess.run([sys.executable, "-c", NESTED], capture_output=True, text=True, timeout=300)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True SIGTERM\n", "")


@pytest.mark.parametrize("look", [check_game, refuse_unsound])
def test_in_a_program_it_is_the_error_of_one_that_ends(look, monkeypatch, capsys):
    """So that a user's own test of it fails with the line; a quick look before training ends in the same way."""
    monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0.3)
    with pytest.raises(SystemExit) as ended:
        look(Endless())
    assert ended.value.code == 2 and "check_plain_python: legal, in plain Python" in capsys.readouterr().err


def test_compiling_is_not_counted(monkeypatch, capsys):
    """Its kernels over batches are compiled in every process, each for longer than the patience here."""
    monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0.15)
    assert main(["tictactoe"]) == 0
    assert not capsys.readouterr().err


def test_signals_arrive_where_they_did_before():
    with watching.watched("nothing"):
        pass
    assert signal.set_wakeup_fd(-1) == -1
