"""The bench command in miniature, what its rows promise, and bad settings."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from experiments import bench, measure
from experiments.scaling import scaling
from games import make
from games.hex import Hex

SMALL = [
    "game.size=3",
    "network.width=4",
    "network.depth=1",
    "batch=[4,16]",
    "budget=8",
    "repetitions=2",
    "detail=true",
    "play=false",
    "peers=false",
]
PROMISED = """rule game size batch budget threads width depth simulations_per_s evaluations_per_s moves_per_s
    network_share matmul_share peak_mb simulations_per_s_spread network_share_spread matmul_share_spread"""
PARTS = {"network", "step", "rest", *measure.KERNELS.values()}


def run(*overrides):
    with initialize_config_module("configs", version_base="1.3"):
        config = compose("bench", overrides=list(overrides))
    return bench.command(config)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return json.loads(run(*SMALL, f"out={tmp_path_factory.mktemp('bench')}").read_text())


def test_rows_hold_what_is_promised(rows):
    assert [row["batch"] for row in rows] == [4, 16]
    for row in rows:
        assert set(PROMISED.split()) <= set(row)
        assert (row["rule"], row["game"], row["size"], row["budget"], row["threads"]) == ("puct", "hex", 3, 8, 1)
        assert (row["width"], row["depth"]) == (4, 1)


def test_values_are_sane(rows):
    for row in rows:
        assert row["network_share"] > 0
        assert row["matmul_share"] > 0
        assert 0 < row["evaluations_per_s"] <= row["simulations_per_s"]
        assert row["moves_per_s"] == pytest.approx(row["simulations_per_s"] / row["budget"], rel=0.01)
        low, high = row["simulations_per_s_spread"]
        assert low <= row["simulations_per_s"] <= high
        assert row["peak_mb"] > 10


def sleepy(function, seconds):
    def slow(*args):
        time.sleep(seconds)
        return function(*args)

    return slow


def test_other_programs_are_measured_at_the_same_networks_and_budget(tmp_path, monkeypatch, capsys):
    asked = []

    def hold(held, entrants, repetitions, python, core, path):
        asked.append((held, {entrant.program for entrant in entrants}, python, path))
        return [{"ratio": 3.14}]

    monkeypatch.setattr(bench.contests, "PYTHON", sys.executable)
    monkeypatch.setattr(bench.contests, "hold", hold)
    monkeypatch.setattr(bench.contests, "table", str)
    run(*SMALL, "network.width=[4,6]", "peers=auto", "batch=4", "repetitions=1", f"out={tmp_path}")
    ((held, programs, python, path),) = asked
    assert [(one.size, one.width, one.depth, one.budget) for one in held] == [(11, 4, 1, 8), (11, 6, 1, 8)]
    assert {"isoelo", "mctx+pgx", "openspiel, C++, rollouts"} <= programs
    assert (python, path) == (sys.executable, tmp_path / "peers.json")
    assert "3.14" in capsys.readouterr().out


@pytest.mark.parametrize(("override", "message"), [
    ("game=hex", "no other programs to compare with: `make peers` installs them"),
    ("game=tictactoe", "on Hex and with fully connected networks only"),
    ("network=conv", "on Hex and with fully connected networks only"),
])  # fmt: skip
def test_where_other_programs_are_missing_one_line_says_so(override, message, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench.contests, "PYTHON", str(tmp_path / "none"))
    tiny = [
        override,
        "batch=4",
        "budget=2",
        "play=false",
        "repetitions=1",
        "network.width=4",
        "network.depth=1",
        f"out={tmp_path}",
    ]
    run(*tiny, "peers=auto")
    assert message in capsys.readouterr().out.splitlines()[-1]
    with pytest.raises(SystemExit):
        run(*tiny, "peers=true")
    error = capsys.readouterr().err
    assert "peers=true cannot be" in error
    assert message in error


def test_the_peers_command_looks_where_the_bench_does():
    with initialize_config_module("configs", version_base="1.3"):
        assert compose("peers").python == bench.contests.PYTHON


def test_random_play_follows_where_openspiel_has_the_game(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench.random_play, "SECONDS", 0.001)
    other = ["game=breakthrough", "game.rows=[4,5]", "game.columns=3", *SMALL[1:]]
    run(*other, "play=auto", "repetitions=1", f"out={tmp_path}")
    rows, play = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("bench", "play"))
    assert [row["random_moves_ratio"] for row in rows] == [row["random_moves_ratio"] for row in play for _ in range(2)]
    assert [row["title"] for row in play] == ["breakthrough4x3", "breakthrough5x3"]
    monkeypatch.setattr(bench.random_play, "FAMILIAR", ("tictactoe", "go,size=3,repetition=draw"))
    capsys.readouterr()
    run(*SMALL, "game=go", "play=all", "batch=4", "repetitions=1", f"out={tmp_path}")
    assert [row["title"] for row in json.loads((tmp_path / "play.json").read_text())] == ["tictactoe3", "go3-draw"]
    assert capsys.readouterr().out.splitlines()[-1] == "OpenSpiel has no go3 to play beside"
    assert "random_moves_ratio" not in json.loads((tmp_path / "bench.json").read_text())[0]


@pytest.mark.parametrize(("in_network", "in_game", "low", "high"), [(0.05, 0, 0.7, 1.3), (0, 0.05, 0, 0.3)])
def test_network_share_is_the_share_of_the_network(in_network, in_game, low, high, monkeypatch, tmp_path):
    """A network that sleeps is nearly all of the search, a game that sleeps leaves it next to nothing."""
    plain = measure.NetworkEvaluator
    monkeypatch.setattr(measure, "NetworkEvaluator", lambda network, **k: sleepy(plain(network), in_network))
    monkeypatch.setattr(Hex, "step_at", sleepy(Hex.step_at, in_game))
    few = ["batch=4", "budget=8", "play=false", "repetitions=3", "peers=false"]
    row = json.loads(run(*SMALL[:3], *few, f"out={tmp_path}").read_text())[0]
    assert low < row["network_share"] < high


def test_parts_add_up_to_the_search(rows):
    for row in rows:
        assert set(row["parts_us"]) == PARTS
        assert all(us > 0 for us in row["parts_us"].values())


def test_defaults_are_the_documented_ones():
    with initialize_config_module("configs", version_base="1.3"):
        config = compose("bench")
    assert (config.game.name, config.game.size, config.batch, config.budget, config.threads) == ("hex", 9, 512, 64, 1)
    assert (config.network.width, config.network.depth) == (256, 4)


def test_several_leaves_of_a_tree_are_evaluated_together(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(measure.Recorder, "replay", lambda recorder, sizes: seen.append(max(sizes)))
    rows = json.loads(run(*SMALL, "batch=2", "budget=30", "leaves=[1,4]", f"out={tmp_path}").read_text())
    assert [row["leaves"] for row in rows] == [1, 4]
    assert max(seen[:2]) == 2 and 2 < max(seen[2:]) <= 8


def test_another_game_gets_no_board_size(tmp_path):
    few = ["batch=4", "budget=2", "play=false", "repetitions=1", "peers=false"]
    row = json.loads(run("game=tictactoe", *SMALL[1:3], *few, f"out={tmp_path}").read_text())
    assert row[0]["game"] == "tictactoe"
    assert row[0]["parts_us"] == {}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no pinning")
def test_pins_and_lets_go():
    before = os.sched_getaffinity(0)
    with measure.pinned(1) as cores:
        assert os.sched_getaffinity(0) == set(cores)
        assert len(cores) == 1
    assert os.sched_getaffinity(0) == before


def test_positions_are_unfinished_and_various():
    game = make("hex", size=4)
    states = measure.scattered(game, 64, seed=1)
    assert not game.over(states).any()
    assert len(np.unique(states, axis=0)) > 32
    assert np.array_equal(states, measure.scattered(game, 64, seed=1))


def test_replay_repeats_the_batch_sizes():
    seen = []
    recorder = measure.Recorder(lambda planes: seen.append(len(planes)))
    for size in (3, 5, 2):
        recorder(np.zeros((size, 1), np.float32))
    recorder.replay(recorder.sizes)
    assert seen == [3, 5, 2, 3, 5, 2]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("batch=0", "batch=0 cannot be: expected a whole number of at least 1"),
        ("budget=[1,x]", "budget='x' cannot be"),
        ("leaves=0", "leaves=0 cannot be"),
        ("threads=0", "threads=0 cannot be"),
        ("threads=4096", "this process may use"),
        ("repetitions=0", "repetitions=0 cannot be"),
        ("play=maybe", "play=maybe cannot be: expected auto, all or false"),
        ("peers=maybe", "peers=maybe cannot be: expected auto, true or false"),
        ("game.size=99", "size=99 cannot be"),
        ("network.width=0", "width=0 cannot be"),
        ("search.rule=best", "no rule 'best': known are gumbel, puct, regularised"),
    ],
)
def test_bad_values_end_in_one_line(override, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        run(*SMALL, override, f"out={tmp_path}")
    assert stop.value.code == 1
    error = capsys.readouterr().err.strip().splitlines()
    assert [line for line in error if message in line]
    assert not (tmp_path / "bench.json").exists()


def test_an_unknown_setting_ends_the_command(tmp_path):
    command = [sys.executable, "-m", "experiments.bench", "batchsize=3", f"out={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: Could not override 'batchsize'.")


def test_a_process_beside_others_that_is_killed_is_told(capfd):
    """The last one too, whose end of the pipe this process must not hold open; here it dies of a case that is none."""
    with pytest.raises(ChildProcessError, match="one of the processes that search side by side was killed"):
        scaling(None, 1, 1)
