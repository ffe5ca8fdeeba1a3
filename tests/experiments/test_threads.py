"""How many torch threads are taken: the choice itself, that a run keeps its own, and that a study's cells agree."""

import json
import os
import subprocess
import sys

import pytest
import torch
from applications import ROOT, TINY_RUN, call, lines
from omegaconf import OmegaConf

from agents.network import make_network
from experiments import study, threads
from games import make

SHORT = [*TINY_RUN, "training.positions=600", "training.games=12"]
SMALL, LARGE = threads.PAYING_FLOPS - 1, threads.PAYING_FLOPS


@pytest.fixture(autouse=True)
def torch_threads():
    yield
    torch.set_num_threads(1)


@pytest.fixture
def machine(monkeypatch):
    """Sets the number of cores, and the size of network from which a second thread pays."""

    def make_one(cores, paying=threads.PAYING_FLOPS):
        monkeypatch.setattr(threads, "cores", lambda: cores)
        monkeypatch.setattr(threads, "PAYING_FLOPS", paying)

    return make_one


@pytest.mark.parametrize(("flops", "cores", "processes", "number"), [
    (LARGE, 2, 1, 2),
    (SMALL, 2, 1, 1),
    (LARGE, 1, 1, 1),
    (LARGE, 2, 2, 1),  # a study: one process per core
    (LARGE, 4, 2, 2),  # fewer cells than cores
    (LARGE, 5, 3, 1),
    (LARGE, 64, 1, 2),  # never more than two: what is a row's answer would depend on its place
    (SMALL, 64, 1, 1),
    (0, 64, 1, 1),  # another device
])  # fmt: skip
def test_the_choice(flops, cores, processes, number):
    choice = threads.choose("auto", flops, cores, processes)
    assert choice.number == number and choice.reason
    assert threads.choose(3, flops, cores, processes).number == 3


def test_the_threshold_lies_between_the_networks_that_were_measured():
    flops = {(w, d): make_network("fc", make("hex", size=9), width=w, depth=d).forward_flops
             for w, d in ((64, 2), (128, 4), (256, 4))}  # fmt: skip
    assert flops[64, 2] < flops[128, 4] < threads.PAYING_FLOPS < flops[256, 4]


@pytest.mark.parametrize(("jobs", "pieces", "expected"), [(-1, 48, 4), (-1, 3, 3), (2, 48, 2), (8, 48, 8), (1, 0, 1)])
def test_how_many_run_at_a_time(machine, jobs, pieces, expected):
    machine(4)
    assert threads.side_by_side(jobs, pieces) == expected


def kept(folder):
    """What a run's config.yaml and provenance.json say."""
    config = OmegaConf.load(folder / "config.yaml")
    return config.threads, json.loads((folder / "provenance.json").read_text())["threads"]


def test_a_run_keeps_the_threads_that_it_began_with(machine, tmp_path):
    machine(2, paying=1)
    first = call("experiments.train", *SHORT, f"studies={tmp_path}")
    assert first.status == 0, first.err
    assert "torch threads: 2 (from 1 FLOPs per evaluation a second core pays" in first.out
    assert torch.get_num_threads() == 2
    (folder,) = (tmp_path / "scratch" / "runs").iterdir()
    number, noted = kept(folder)
    assert number == noted["number"] == 2 and noted["asked"] == "auto" and "a second core pays" in noted["reason"]
    machine(1)
    (folder / "status.json").unlink()  # as if the machine had stopped before the last word
    again = call("experiments.train", *SHORT, f"studies={tmp_path}")
    assert again.status == 0 and "torch threads" not in again.out, again.err
    assert torch.get_num_threads() == 2 and kept(folder) == (2, noted)
    other = call("experiments.train", *SHORT, "threads=1", f"studies={tmp_path}")
    assert other.status == 1 and "was trained with threads=2, not 1" in other.err


def test_a_number_is_taken_as_it_is(machine, tmp_path):
    machine(1)
    ended = call("experiments.train", *SHORT, "threads=2", f"studies={tmp_path}")
    assert ended.status == 0 and "torch threads: 2 (as asked)" in ended.out, ended.err
    (folder,) = (tmp_path / "scratch" / "runs").iterdir()
    assert kept(folder) == (2, {"asked": 2, "number": 2, "reason": "as asked"})


@pytest.mark.parametrize(("cores", "jobs", "number"), [(2, 2, 1), (4, 2, 2), (2, 1, 2)])
def test_the_cells_of_a_study_share_the_cores(machine, monkeypatch, tmp_path, cores, jobs, number):
    machine(cores, paying=1)
    monkeypatch.setattr(study, "complete", lambda *args, **kwargs: None)
    ended = call("experiments.train", "-m", *SHORT, "seed=0,1", "study.name=x", f"jobs={jobs}",
                 "hydra.launcher.n_jobs=1", f"studies={tmp_path}")  # fmt: skip
    assert ended.status == 0, ended.err
    assert f"torch threads: {number} for 2 of 2 runs" in ended.out
    runs = list((tmp_path / "x" / "runs").iterdir())
    assert len(runs) == 2 and all(kept(run)[0] == number for run in runs)


def test_a_duel_says_how_many_it_took(machine, tiny_run):
    machine(2, paying=1)
    play = [f"snapshot={tiny_run}/snapshots/000.safetensors", "budget=2", "games=4"]
    assert [json.loads(call("experiments.duel", *play, *more).out)["threads"] for more in ([], ["threads=1"])] == [2, 1]


@pytest.mark.parametrize("asked", ["0", "-1", "many", "true", "1.5"])
@pytest.mark.parametrize("command", ["train", "duel", "rules"])
def test_what_is_no_number_is_refused(command, asked, tiny_run, tmp_path):
    snapshot = [] if command == "train" else [f"snapshot={tiny_run}/snapshots/000.safetensors"]
    folder = {"train": f"studies={tmp_path}", "duel": f"out={tmp_path}/x", "rules": f"out={tmp_path}"}[command]
    ended = call(f"experiments.{command}", *snapshot, f"threads={asked}", folder)
    assert ended.status == 1 and len(lines(ended.err)) == 1
    assert "cannot be: expected auto, or a whole number of at least 1" in ended.err


SPINNING = """
import os, time
import experiments, torch
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
a = torch.rand(256, 256)
def seconds(number):
    torch.set_num_threads(number)
    torch.mm(a, a)
    begun = time.process_time()
    for _ in range(100):
        torch.mm(a, a)
    return time.process_time() - begun
print(seconds(1), seconds(2))
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
@pytest.mark.parametrize("given", [None, "ACTIVE"])
def test_threads_that_wait_leave_their_core_to_others(given):
    """Two threads on one core take the processor time of one; spinning ones forty times as much."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
    environment |= {"OMP_WAIT_POLICY": given} if given else {}
    done = subprocess.run([sys.executable, "-c", SPINNING], capture_output=True, text=True, cwd=ROOT, env=environment)
    one, two = map(float, done.stdout.split())
    assert (two > 4 * one) == (given == "ACTIVE"), f"{one} and {two} seconds"
