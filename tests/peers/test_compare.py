"""The comparison itself: positions carried over, turns, ratios, bad settings. OpenSpiel is here; JAX need not be."""

import json
import re
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="our own network runs in our own environment: `make test` runs these tests")
from hydra import compose, initialize_config_module

from experiments.measure import scattered
from experiments.peers import __main__ as peers
from experiments.peers import compare
from experiments.peers.positions import moves_to
from games import make

BROKEN = {"size": 3, "width": 8, "depth": 1, "seed": 0, "budget": 4, "rule": "puct"}
SMALL = ["peers=[openspiel]", "networks=[8x1]", "size=3", "batch=4", "budget=6", "repetitions=2", "rules=[puct]",
         "positions=[scattered]"]  # fmt: skip


def run(*overrides):
    with initialize_config_module("configs", version_base="1.3"):
        config = compose("peers", overrides=[f"python={sys.executable}", *overrides])
    return peers.command(config)


def test_moves_lead_to_the_positions():
    game = make("hex", size=5)
    states = scattered(game, 60, seed=1)
    for state, moves in zip(states, moves_to(game, states), strict=True):
        np.testing.assert_array_equal(game.play(game.reset(1)[0], *moves[moves >= 0]), state)


def test_the_command_measures_in_turns(tmp_path):
    written = json.loads(run(*SMALL, f"out={tmp_path}").read_text())
    assert {"torch", "numba", "open_spiel"} <= set(written["versions"])
    keys = [(row["positions"], row["program"], row["rule"]) for row in written["rows"]]
    programs = [("isoelo", "puct"), ("openspiel, C++, rollouts", "uct"), ("openspiel, Python, network", "alphazero")]
    assert keys == [("scattered", *program) for program in programs]
    for row in written["rows"]:
        assert (row["game"], row["size"], row["batch"], row["budget"], row["threads"]) == ("hex", 3, 4, 6, 1)
        assert row["simulations_per_s_spread"][0] <= row["simulations_per_s"] <= row["simulations_per_s_spread"][1]
        assert ("ratio" in row) == (row["program"] != "isoelo")


def test_ratios_are_taken_within_a_turn():
    contest = compare.Contest(size=11, width=8, depth=1, positions="start", batch=32, budget=10, seed=0)
    entrants = [compare.OURS[1], compare.PEERS["openspiel"][0]]  # puct, and one that searches 16 of the 32 positions
    seconds = np.array([[[1.0, 1.0], [2.0, 1.0], [4.0, 1.0]], [[8.0, 4.0], [4.0, 4.0], [2.0, 4.0]]])
    ours, theirs = compare.rows(contest, entrants, seconds)
    assert (ours["simulations_per_s"], ours["simulations_per_cpu_s"]) == (160, 320)
    assert (theirs["games"], theirs["simulations_per_s"]) == (16, 40)
    assert (theirs["ratio"], theirs["ratio_spread"], theirs["cpu_ratio"]) == (4, [2.5, 10], 8)


def test_a_failing_worker_is_named(tmp_path, capsys):
    with compare.started(sys.executable, {"isoelo"}, peers.core(None)) as workers:
        with pytest.raises(compare.SettingsError, match=r"'isoelo' failed: .*No such file"):
            workers["isoelo"].ask(do="prepare", name=0, task={**BROKEN, "arrays": str(tmp_path / "none.npz")})
        assert "Traceback" in capsys.readouterr().err
        workers["isoelo"].process.kill()
        workers["isoelo"].process.wait()
        with pytest.raises(compare.SettingsError, match="the process ended"):
            workers["isoelo"].ask(do="versions")


@pytest.mark.parametrize("override, message", [
    ("batch=0", "batch=0 cannot be: expected at least 1"),
    ("rules=[alphabeta]", r"rules=\[alphabeta\] cannot be: known are gumbel, puct"),
    ("peers=[gnugo]", r"peers=\[gnugo\] cannot be: known are mctx, openspiel"),
    ("networks=[256]", r"networks=\[256\] cannot be: expected width x depth, such as 256x4"),
    ("python=/nowhere/python", "python=/nowhere/python is not there: `make peers`"),
    ("core=4096", "core=4096 cannot be: this process may use"),
    ("peers=[mctx]", r"size=3 cannot be with mctx: pgx's Hex is 11x11; set peers=\[openspiel\]"),
])  # fmt: skip
def test_bad_settings_end_with_one_line(override, message, capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        run(*SMALL, f"out={tmp_path}", override)
    assert ended.value.code == 1
    assert re.search(message, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())
