"""Signals to stop, wherever they fall: where a command loads, numba compiles, or a library catches them."""

import os
import pathlib
import signal
import subprocess
import sys
import time
from unittest import mock

import pytest
from numba.core.compiler_lock import global_compiler_lock

from games import stopping
from games.terminal import end_with
from training import interrupt

ROOT = pathlib.Path(__file__).parents[2]


def wait_for(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("command", "library"),
    [("games.exact", "numba"), ("agents.conformance", "numba"), ("experiments.duel", "hydra")],
)
def test_ctrl_c_while_a_command_loads_ends_it_without_a_word(tmp_path, command, library):
    (tmp_path / f"{library}.py").write_text("import time; print('loading', flush=True); time.sleep(300)")
    process = subprocess.Popen([sys.executable, "-m", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)})  # fmt: skip
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=300)[1] == "" and process.returncode == -signal.SIGINT


@pytest.mark.parametrize("number", stopping.SIGNALS)
def test_every_signal_to_stop_is_a_ctrl_c_within_a_command_alone(number):
    before = [signal.getsignal(each) for each in stopping.SIGNALS]
    signal.set_wakeup_fd(-1)
    with pytest.raises(KeyboardInterrupt), stopping.as_ctrl_c():
        signal.raise_signal(number)
    assert [signal.getsignal(each) for each in stopping.SIGNALS] == before and signal.set_wakeup_fd(-1) == -1
    assert stopping.heard == number.name


def test_under_nohup_a_closed_terminal_stops_nothing():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopping.as_ctrl_c():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert stopping.heard is None


def test_what_a_library_makes_of_a_ctrl_c_ends_in_one_word(capsys):
    def main():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("no compiled object yet") from None

    with pytest.raises(SystemExit) as end:
        end_with(main)
    assert end.value.code == 130 and capsys.readouterr().err == "stopped\n"


def test_what_numba_compiles_is_not_broken_off(capsys):
    compiled = False
    with pytest.raises(KeyboardInterrupt), stopping.as_ctrl_c():
        with global_compiler_lock:
            signal.raise_signal(signal.SIGTERM)
            time.sleep(0.1)
            compiled = True
        wait_for(lambda: False)
    assert compiled and capsys.readouterr().err == "\nSIGTERM: stopping, once a kernel is compiled\n"


def test_a_second_signal_breaks_off_what_numba_compiles():
    with pytest.raises(KeyboardInterrupt), stopping.as_ctrl_c(), global_compiler_lock:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second signal was not heard")


def test_training_gives_the_signals_back():
    with pytest.raises(KeyboardInterrupt), stopping.as_ctrl_c():
        interrupt.listen(on_signal=lambda name: None)
        signal.raise_signal(signal.SIGTERM)
        assert interrupt.forget() == "SIGTERM" and interrupt.told() is None
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_while_the_stream_is_at_work_raises_nothing(monkeypatch):
    """A buffered stream whose write stands, as in a terminal held by Ctrl-S, refuses another from a handler."""
    monkeypatch.setattr(sys.stderr, "write", mock.Mock(side_effect=RuntimeError("reentrant call")))
    stopping.say("SIGTERM: saving a checkpoint, then stopping")


CHILD = "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))"


def test_workers_are_started_deaf_to_the_terminal():
    with stopping.unheard_by_children():
        told = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True).stdout
    assert "SIGINT" in told and "SIGHUP" in told and "SIGTERM" not in told
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
