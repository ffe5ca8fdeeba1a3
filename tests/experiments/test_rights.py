"""Folders and files that may not be written or read: one line that names them, and nothing changed."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from applications import ROOT, TINY_RUN, TINY_STUDY, call, everything, lines

HERE = ROOT / "tests" / "experiments"
CALLS = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from applications import call
found = []
for unreadable, *words in json.loads(sys.argv[2]):
    rights = unreadable and os.stat(unreadable).st_mode
    if unreadable:
        os.chmod(unreadable, 0)
    found.append(call(*words))
    if unreadable:
        os.chmod(unreadable, rights)
print(json.dumps(found))
"""
ORDINARY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]  # root then minds rights as anybody


@pytest.fixture(scope="module")
def calls():
    """Calls commands as somebody whom the rights of files bind: [(status, out, err)].

    A command is the path of what may not be read meanwhile, None for nothing, then its words.
    """
    root = os.geteuid() == 0
    if root and shutil.which("setpriv") is None:
        pytest.skip("root may do anything, and there is no setpriv to take that away")

    def make_calls(*commands):
        words = [sys.executable, "-c", CALLS, str(HERE), json.dumps(commands)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run([*ORDINARY, *words] if root else words, cwd=ROOT, env=environment, capture_output=True,
                              text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return make_calls


def set_rights(folder, rights):
    """Of the folder and all below it, where `rights` are those of a folder."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(rights if path.is_dir() else rights & 0o666)


@pytest.fixture
def locked(copied_study):
    """A study that may only be read."""
    set_rights(copied_study.parent, 0o555)
    yield copied_study
    set_rights(copied_study.parent, 0o755)


def refused(ended, *named):
    status, _, err = ended
    assert status == 1 and len(lines(err)) == 1, err
    assert all(word in err for word in named), err


def test_what_may_only_be_read_stays_as_it_is(locked, calls):
    before = everything(locked)
    snapshot = sorted(locked.rglob("snapshots/*.safetensors"))[0]
    play, out = [f"snapshot={snapshot}", "budget=2", "games=4"], locked / "new"
    *found, (status, printed, err) = calls(*([None, *words] for words in (
        ["experiments.train", *TINY_RUN, f"studies={locked.parent}"],
        ["experiments.train", *TINY_STUDY, f"studies={locked.parent}"],
        ["experiments.arena", f"study_dir={locked}"],
        ["experiments.frontier", f"study_dir={locked}", "replicates=2"],
        ["experiments.frontier", f"ratings={locked}/ratings.csv", f"out={out}", "replicates=2"],
        ["experiments.ratings", f"matches={locked}/matches.csv", f"out={out}"],
        ["experiments.bench", "repetitions=1", "batch=4", "budget=2", "network.width=4", f"out={out}"],
        ["experiments.rules", f"snapshot={snapshot}", "openings=2", "budgets=[2]", f"out={out}"],
        ["experiments.position", f"snapshot={snapshot}", f"out={locked}/position.json"],
        ["experiments.duel", *play, f"out={locked}/duel.json"],
        ["experiments.duel", *play],
    )))  # fmt: skip
    for ended in found:
        refused(ended, str(locked.parent), "Permission denied: correct the path, or the rights to its folder")
        assert ".tmp" not in ended[2], "the file itself is named, not what it is written as"
    assert found[-1][1] == "", "refused before the games are played"
    assert status == 0 and json.loads(printed)["games"] == 4, err
    assert everything(locked) == before


def test_what_may_not_be_read_is_named(copied_study, calls):
    run = copied_study / "runs" / "hex2-2x1-s0"
    folder, snapshot = run / "snapshots", sorted((run / "snapshots").glob("*.safetensors"))[0]
    before = everything(copied_study)
    paths = [copied_study / "matches.csv", copied_study / "study.yaml", run / "config.yaml", folder, snapshot, snapshot]
    words = [["experiments.arena", f"study_dir={copied_study}"]] * 5 + [["experiments.duel", f"snapshot={snapshot}"]]
    for path, ended in zip(paths, calls(*([str(path), *word] for path, word in zip(paths, words, strict=True))),
                           strict=True):  # fmt: skip
        refused(ended, str(path), "Permission denied")
    assert everything(copied_study) == before


def test_a_finished_run_without_snapshots_is_refused(copied_study):
    folder = copied_study / "runs" / "hex2-2x1-s0" / "snapshots"
    for file in folder.iterdir():
        file.unlink()
    refused(
        call("experiments.arena", f"study_dir={copied_study}"),
        f"{folder} holds no snapshot, though its run is finished",
    )
