"""Stored results of exact play: found again, damaged, not to be written, killed in the middle."""

import os
import signal
import subprocess
import sys
import time
import warnings

import numba
import numpy as np
import pytest
from boards import damage_file, random_positions

from games import hex_solver, hex_table, make
from games.exact import solver

pytestmark = pytest.mark.usefixtures("cache")


def fill(folder, size=4):
    """Tables in `folder` that hold something and have been saved."""
    hex_solver.tables.cache_clear()
    game = make("hex", size=size)
    exact = solver(game)
    exact.perfect_moves(random_positions(game, 300, np.random.default_rng(6)))
    exact._tables.save()
    return folder / f"hex{size}.npz"


def reload(size=4):
    hex_solver.tables.cache_clear()
    return solver(make("hex", size=size))


def test_a_new_process_knows_what_was_proven(cache):
    fill(cache, 5)
    states = random_positions(make("hex", size=5), 300, np.random.default_rng(6))
    expected = solver(make("hex", size=5)).perfect_moves(states)
    exact = reload(5)
    assert (exact.perfect_moves(states) == expected).all()
    assert exact.searched == 0


@pytest.mark.parametrize("damage", ["truncated", "flipped", "text", "empty", "older", "pickle", "shape", "cells"])
def test_a_damaged_file_is_ignored_once_and_written_anew(cache, damage):
    path = fill(cache)
    good = dict(np.load(path))
    damage_file(path, damage)
    if damage == "older":
        np.savez(path, **{**good, "label": np.array("isoelo hex4 proofs and answers, format 1")})
    elif damage == "pickle":
        np.savez(path, **{**good, "proofs": np.array([{"run": "me"}], object)})
    elif damage == "shape":
        np.savez(path, **{**good, "proofs": good["proofs"][:, :2]})
    elif damage == "cells":
        np.savez(path, **{**good, "proofs": good["proofs"] | np.uint64(1 << 7)})
    with pytest.warns(UserWarning, match="are ignored and will be written anew") as told:
        exact = reload()
    assert len(told) == 1
    game = exact.game
    assert exact.values(game.reset(1))[0] == 1
    exact._tables.save_when_due(patience=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reload()


def test_a_folder_that_cannot_be_written_does_not_stop_play(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ISOELO_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(hex_solver, "SAVE_ROWS", 1)
    with pytest.warns(UserWarning, match="cannot be stored") as told:
        exact = reload()
        assert exact.values(exact.game.reset(1))[0] == 1
        exact._tables.save()
        exact.perfect_moves(random_positions(exact.game, 100, np.random.default_rng(9)))
        exact._tables.save_when_due(patience=0.0)
    assert len(told) == 1


def test_a_full_disk_does_not_stop_play(cache, monkeypatch):
    path = fill(cache)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="No space left"):
        solver(make("hex", size=4))._tables.save()
    assert path.read_bytes() == before
    assert [f.name for f in cache.iterdir()] == [path.name]


def test_leftovers_of_killed_writers_are_swept(cache):
    path = fill(cache)
    old, young = path.with_name(path.name + ".1.aa.tmp"), path.with_name(path.name + ".2.bb.tmp")
    for left in (old, young):
        left.write_bytes(b"x")
    os.utime(old, (0, 0))
    solver(make("hex", size=4))._tables.save()
    assert not old.exists() and young.exists()


def test_stored_rows_are_the_hardest(cache, monkeypatch):
    monkeypatch.setattr(hex_solver, "STORED_ROWS", 100)
    exact = reload(5)
    exact.perfect_moves(random_positions(exact.game, 200, np.random.default_rng(7)))
    exact.save()
    for name, rows in np.load(cache / "hex5.npz").items():
        if name != "label":
            efforts = np.sort([hex_table.effort(entry) for entry in getattr(exact._tables.work, name)[:-1, 2]])
            assert np.sort([hex_table.effort(entry) for entry in rows[:, 2]]).tolist() == efforts[-100:].tolist()
            assert len(np.unique(rows, axis=0)) == 100


WRITER = """
import numpy as np, sys
from games import make
from games.exact import solver
exact = solver(make("hex", size=5))
exact.action_values(exact.game.reset(1))
print("ready", flush=True)
while True:
    exact._tables.save()
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(cache):
    """Two writers at a time, killed; whatever stands under the final name can be read."""
    rng = np.random.default_rng(8)
    env = dict(os.environ)
    if numba.config.CACHE_DIR:  # the kernels this process has compiled
        env["NUMBA_CACHE_DIR"] = numba.config.CACHE_DIR
    for _ in range(3):
        writers = [subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE, env=env) for _ in range(2)]
        for writer in writers:
            assert writer.stdout.readline() == b"ready\n"
        time.sleep(rng.random() * 0.3)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            writer.stdout.close()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert reload(5).searched == 0
