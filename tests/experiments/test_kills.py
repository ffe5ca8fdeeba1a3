"""Runs and studies that are killed for real, at random moments, and started again until they end.

The suite kills a run 3 times and a study 3 times. The full version, about ten minutes on two cores:

    ISOELO_KILLS=20 python -m pytest tests/experiments/test_kills.py
"""

import contextlib
import json
import os
import shutil
import signal
import time
from unittest import mock

import numpy as np
import psutil
import pytest
import safetensors
from applications import (
    TINY_RUN,
    TINY_STUDY,
    TooLate,
    call,
    disturb,
    finish,
    in_time,
    kill,
    members,
    snapshots,
    start,
    wait_for,
    written,
)
from hydra.errors import HydraException

from experiments import cells
from experiments.command import one_line_errors
from games import stopping

KILLS = int(os.environ.get("ISOELO_KILLS", 0))
LONGER_RUN = ["training.positions=60000"] if KILLS else []
LONGER_STUDY = ["training.positions=24000", "arena.rounds=12", "arena.openings=16"] if KILLS else []
STUDY = ("tests/experiments/study_without_fits.py",)


def states(folder):
    """What the status files of a study's runs say."""
    found = []
    for file in folder.glob("runs/*/status.json"):
        found.append(json.loads(file.read_text())["state"])
    return found


def saved_since(folder, moment):
    """Whether some run below `folder` has saved a checkpoint after `moment`."""
    return any(file.stat().st_mtime > moment for file in folder.glob("runs/*/checkpoint/state.safetensors"))


def positions(folder):
    """Positions played at the last checkpoint of the run in `folder`."""
    with safetensors.safe_open(folder / "checkpoint" / "state.safetensors", "pt") as file:
        return json.loads(file.metadata()["isoelo-checkpoint"])["ledger"]["positions"]


def plays(process):
    """Whether the study has come to its matches, which its progress bar says."""
    return "matches, round" in written(process)


def rows_of(study):
    path = study / "matches.csv"
    return max(path.read_bytes().count(b"\n") - 1, 0) if path.exists() else 0


def wait_for_end(process, seconds=300):
    """Wait until all that `process` started has left."""
    end = time.monotonic() + seconds
    while members(process) and time.monotonic() < end:
        time.sleep(0.1)
    return not members(process)


def nothing_half_written(folder, whole):
    """Every file that stands under a snapshot's name has the bytes that an undisturbed run gives it."""
    for name, content in snapshots(folder).items():
        if not name.split("/")[-1].startswith("."):
            assert content == whole[name], f"{name} differs"


@pytest.fixture
def undisturbed_run(tiny_run, tmp_path):
    """A run that was never disturbed: the shared one, or a longer one where more kills have to fit in."""
    if not KILLS:
        return tiny_run
    assert finish(start(*TINY_RUN, *LONGER_RUN, f"studies={tmp_path / 'undisturbed'}")).status == 0
    return tmp_path / "undisturbed" / "scratch" / "runs" / tiny_run.name


@pytest.fixture
def undisturbed_study(request, tmp_path):
    """The same for a study."""
    if not KILLS:
        return request.getfixturevalue("tiny_study")
    ended = finish(
        start(*TINY_STUDY, *LONGER_STUDY, f"studies={tmp_path / 'undisturbed'}", "jobs=2", program=STUDY), 600
    )
    assert ended.status == 0, ended.err
    return tmp_path / "undisturbed" / "tiny"


# ---- one run -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@in_time
def test_a_run_killed_at_random_moments_leaves_the_bytes_of_an_undisturbed_run(undisturbed_run, tmp_path):
    arguments = [*TINY_RUN, *LONGER_RUN, f"studies={tmp_path}"]
    study, folder = tmp_path / "scratch", tmp_path / "scratch" / "runs" / undisturbed_run.name
    whole, rng = snapshots(undisturbed_run), np.random.default_rng(0)
    shares, kills = [], 0
    for number in range(KILLS or 3):
        began = time.time()
        process = start(*arguments)
        if number % 5 == 4:
            time.sleep(rng.uniform(0, 5))  # anywhere in the start
        elif wait_for(lambda began=began: saved_since(study, began), process):
            time.sleep(rng.uniform(0, 0.9))
        ended = kill(process)
        if ended.status == 0 and kills:
            break  # the run has ended before this kill
        if ended.status == 0:
            raise TooLate
        assert ended.status == -signal.SIGKILL, ended.err
        kills += 1
        nothing_half_written(folder, whole)
        shares.append(positions(folder))
    ended = finish(start(*arguments))
    assert ended.status == 0, ended.err
    assert snapshots(folder) == whole
    assert not list(folder.rglob(".*.tmp")), "what killed processes were writing is swept up"
    print(f"{kills} kills of a run, positions saved at each: {shares}")


@pytest.mark.slow
@in_time
def test_a_run_on_several_boards_that_is_killed_leaves_the_bytes_of_an_undisturbed_one(tmp_path):
    arguments = [*TINY_RUN, "network=conv", "network.width=2", "training.boards=[{size: 2},{size: 3}]",
                 "training.positions=6000"]  # fmt: skip
    assert call("experiments.train", *arguments, f"studies={tmp_path / 'undisturbed'}").status == 0
    whole, study = snapshots(tmp_path / "undisturbed"), tmp_path / "killed" / "scratch"
    shares = []
    for _ in range(2):
        began = time.time()
        process = start(*arguments, f"studies={tmp_path / 'killed'}")
        wait_for(lambda began=began: saved_since(study, began), process)
        ended = disturb(process)
        assert ended.status == -signal.SIGKILL, ended.err
        nothing_half_written(tmp_path / "killed", whole)
        shares.append(positions(study / "runs" / "hex2_hex3-conv2x1-s0"))
    if shares[1] == 6000:
        raise TooLate
    assert 0 < shares[0] < shares[1]
    ended = finish(start(*arguments, f"studies={tmp_path / 'killed'}"))
    assert ended.status == 0, ended.err
    assert snapshots(tmp_path / "killed") == whole


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
@in_time
def test_a_run_told_to_stop_saves_says_so_and_goes_on(tiny_run, tmp_path, number):
    arguments = [*TINY_RUN, f"studies={tmp_path}"]
    study, folder = tmp_path / "scratch", tmp_path / "scratch" / "runs" / tiny_run.name
    process = start(*arguments)
    wait_for(lambda: saved_since(study, 0), process)
    ended = disturb(process, number)
    assert ended.status == 130, ended.err
    assert f"{signal.Signals(number).name}: saving a checkpoint, then stopping" in ended.err
    assert "the same command goes on from there" in ended.err and "Traceback" not in ended.err
    status = json.loads((folder / "status.json").read_text())
    assert status["state"] == "interrupted" and 0 < status["share"] < 1
    assert (folder / "checkpoint" / "state.safetensors").exists()
    nothing_half_written(folder, snapshots(tiny_run))
    if number == signal.SIGTERM:
        ended = finish(start(*arguments))
        assert ended.status == 0 and "snapshots" in ended.out, ended.err
        assert snapshots(folder) == snapshots(tiny_run)


def test_a_run_that_waits_for_its_folder_can_be_told_to_stop(tiny_run, tmp_path):
    folder = tmp_path / "scratch" / "runs" / tiny_run.name
    with cells.locked(folder):
        process = start(*TINY_RUN, f"studies={tmp_path}")
        assert wait_for(lambda: "in use by another process: waiting for it" in written(process), process)
        process.send_signal(signal.SIGINT)
        ended = finish(process)
    assert ended.status == 130 and "stopped by SIGINT while" in ended.err and "Traceback" not in ended.err
    assert not (folder / "status.json").exists()


# ---- a study -------------------------------------------------------------------------------------------------------


def matches(study):
    rows = (study / "matches.csv").read_text().splitlines()
    return rows[0], rows[1:]


@pytest.mark.slow
@in_time
def test_a_study_killed_at_random_moments_ends_as_an_undisturbed_one(undisturbed_study, tmp_path):
    arguments = [*TINY_STUDY, *LONGER_STUDY, f"studies={tmp_path}", "jobs=2"]
    study, rng, seen = tmp_path / "tiny", np.random.default_rng(1), []
    count = KILLS or 3
    for number in range(count):
        began = time.time()
        process = start(*arguments, program=STUDY)
        only_play = number >= 2 * count // 3  # the last third falls into the matches
        wait_for(lambda p=process, t=began, o=only_play: plays(p) or (not o and saved_since(study, t)), process)
        if not plays(process):
            time.sleep(rng.uniform(0, 0.6))
        elif number % 2:
            time.sleep(rng.uniform(0, 5))
        else:  # between the rounds, with matches on the disk
            before = rows_of(study)
            wait_for(lambda p=process, rows=before: rows_of(study) > rows, process)
            time.sleep(rng.uniform(0, 0.5))
        group = number % 3 != 1  # else the parent alone, and its workers have to notice
        ended = kill(process, group=group)
        if ended.status == 0 and len(seen) >= 2:
            break  # the study has ended before this kill
        if ended.status == 0:
            raise TooLate
        assert ended.status == -signal.SIGKILL, ended.err
        assert group or wait_for_end(process), "workers left behind"
        nothing_half_written(study, snapshots(undisturbed_study))
        seen.append(f"{'group' if group else 'parent'}, {states(study).count('done')} done, {rows_of(study)} matches")
    ended = finish(start(*arguments, program=STUDY), 600)
    assert ended.status == 0, ended.err
    assert snapshots(study) == snapshots(undisturbed_study)
    header, rows = matches(study)
    pairs = [tuple(row.split(",")[:2]) for row in rows]
    assert len(set(pairs)) == len(pairs), "no match is played twice"
    assert (header, rows) == matches(undisturbed_study)
    assert (study / "ratings.csv").read_bytes() == (undisturbed_study / "ratings.csv").read_bytes()
    print(f"{len(seen)} kills of a study:", *seen, sep="\n  ")


@pytest.mark.parametrize("group", [False, True], ids=["SIGTERM", "Ctrl-C"])
@in_time
def test_a_study_told_to_stop_saves_and_says_so(tiny_study, tmp_path, group):
    """SIGTERM reaches the study's own process; a terminal's Ctrl-C reaches the workers as well."""
    arguments = [*TINY_STUDY, f"studies={tmp_path}", "jobs=2"]
    study = tmp_path / "tiny"
    process = start(*arguments, program=STUDY)
    wait_for(lambda: saved_since(study, 0), process)
    ended = disturb(process, signal.SIGINT if group else signal.SIGTERM, group=group)
    if rows_of(study):
        raise TooLate  # the runs were done
    assert ended.status == 130, ended.err
    assert "the runs save their checkpoints, then stop" in ended.err
    assert "the same command goes on" in ended.err and "Traceback" not in ended.err
    assert not any(state in ("running", "failed") for state in states(study))
    assert not (study / "matches.csv").exists()
    nothing_half_written(study, snapshots(tiny_study))


def workers(process):
    """The study's worker processes."""
    with contextlib.suppress(psutil.Error):
        return [child for child in psutil.Process(process.pid).children() if "LokyProcess" in " ".join(child.cmdline())]
    return []


def long_arena(tiny_study, folder):
    """The matches of a copy of the study, many of them, by two workers."""
    study = shutil.copytree(tiny_study, folder / "tiny")
    settings = study / "study.yaml"
    settings.write_text(settings.read_text().replace("jobs: 1", "jobs: 2"))
    return start(f"study_dir={study}", "arena.rounds=500", program=("-m", "experiments.arena"))


@in_time
def test_an_arena_told_to_stop_says_so_and_leaves_no_workers(tiny_study, tmp_path):
    process = long_arena(tiny_study, tmp_path)
    assert wait_for(lambda: len(workers(process)) == 2, process)
    left = workers(process)
    ended = disturb(process, signal.SIGTERM)
    assert ended.status == 130, ended.err
    assert "stopped; what is finished is kept" in ended.err.splitlines()
    assert psutil.wait_procs(left, timeout=300)[1] == []


@in_time
def test_ctrl_c_while_the_workers_start_ends_without_a_traceback(tmp_path):
    process = start(*TINY_STUDY, f"studies={tmp_path}", "jobs=2", program=STUDY)
    assert wait_for(lambda: len(workers(process)) == 2, process)
    ended = disturb(process, signal.SIGINT, group=True)
    assert ended.status == 130, ended.err
    said = ended.err.partition("Fatal Python error: init")[0]  # the interpreter's own, in its first milliseconds
    assert any(line.startswith("stopped") for line in ended.err.splitlines()) and "Traceback" not in said


@in_time
def test_a_worker_killed_for_its_memory_is_told_in_one_line(tmp_path):
    process = start(*TINY_STUDY, f"studies={tmp_path}", "jobs=2", program=STUDY)
    wait_for(lambda: saved_since(tmp_path / "tiny", 0), process)
    for worker in workers(process)[:1]:
        worker.kill()
    ended = finish(process)
    if ended.status == 0:
        raise TooLate
    assert ended.status == 1, ended.err
    # The interpreter's own tracker may add a warning of semaphores that the killed process held.
    told = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1 and told[0].startswith("error: a worker process was killed"), ended.err
    assert "Traceback" not in ended.err


@in_time
def test_ctrl_c_while_the_workers_of_an_arena_start_ends_without_a_traceback(tiny_study, tmp_path):
    process = long_arena(tiny_study, tmp_path)
    assert wait_for(lambda: workers(process), process)
    ended = disturb(process, signal.SIGINT, group=True)
    assert ended.status == 130, ended.err
    assert any(line.startswith("stopped") for line in ended.err.splitlines()) and "Traceback" not in ended.err


def test_what_a_library_makes_of_a_ctrl_c_is_told_as_one(monkeypatch, capsys):
    monkeypatch.setattr(stopping, "heard", "SIGINT")
    with pytest.raises(SystemExit) as end:
        one_line_errors(mock.Mock(side_effect=HydraException(), __name__="command"))()
    assert end.value.code == 130 and capsys.readouterr().err.startswith("stopped by SIGINT; what is finished is kept")


MASKS = """
import signal, joblib
from experiments.arena import _in_workers

masks = _in_workers([joblib.delayed(signal.pthread_sigmask)(signal.SIG_BLOCK, [])] * 2, 2)
print([sorted(mask) for mask in masks] == [[signal.SIGHUP, signal.SIGINT]] * 2)
"""


def test_workers_of_an_arena_never_hear_the_terminal():
    """From their first moment, in which Python itself would tell of a Ctrl-C at length."""
    ended = finish(start(program=("-c", MASKS)))
    assert ended.out == "True\n", ended.err
