"""A study with runs of one size and of several: names, pools, compute of each size, and a snapshot at another size."""

import csv
import json
from unittest import mock

import pytest
from applications import TINY_STUDY, call, lines
from study_without_fits import finish

pytest.importorskip("games.exact")

from agents.network import make_network
from agents.snapshot import describe
from experiments import records
from experiments.board import write_board
from games import make

BOTH = "hex2_hex3-conv2x1-s0"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    studies = tmp_path_factory.mktemp("studies")
    sweep = "training.boards=[{size: 2},{size: 3}],[{size: 2}],[{size: 3}]"
    with mock.patch("experiments.frontier.finish", finish):
        ended = call("experiments.train", *TINY_STUDY, "network=conv", "game.size=7", "network.width=2", sweep,
                     "training.positions=3000", "arena.snapshots=2", f"studies={studies}", "jobs=1")  # fmt: skip
    assert ended.status == 0, ended.err
    return studies / "tiny"


def agents_of(study):
    with open(study / "agents.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_runs_are_named_by_their_boards(study):
    assert sorted(path.name for path in (study / "runs").iterdir()) == [
        "hex2-conv2x1-s0", BOTH, "hex3-conv2x1-s0"
    ]  # fmt: skip


def test_a_run_of_several_sizes_enters_the_pool_of_each(study):
    rows = agents_of(study)
    assert len({row["agent"] for row in rows}) == len(rows)
    for size in (2, 3):
        own = [row for row in rows if row["run"] == BOTH and row["size"] == str(size)]
        assert len(own) == 2 * 2  # snapshots, budgets
        assert all(row["agent"].startswith(f"{BOTH}:{int(row['snapshot']):03d}:hex{size}:puct") for row in own)
        forward = make_network("conv", make("hex", size=size), width=2, depth=1).forward_flops
        for row in own:
            ledger = describe(study / "runs" / BOTH / "snapshots" / f"{int(row['snapshot']):03d}.safetensors")["ledger"]
            assert int(row["train_flops"]) == ledger["train_flops"] and int(row["forward_flops"]) == forward
            spent = float(row["evaluations"])
            assert float(row["test_flops_per_move"]) == pytest.approx(spent * forward, rel=1e-6)
    alone = [row["agent"] for row in rows if row["run"] == "hex3-conv2x1-s0"]
    assert len(alone) == 4 and all(name.startswith("hex3-conv2x1-s0:") and ":hex3:" not in name for name in alone)


def test_its_agents_meet_those_of_their_size_alone(study):
    sizes = {row["agent"]: row["size"] for row in agents_of(study)}
    with open(study / "matches.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(sizes[row["agent_a"]] == sizes[row["agent_b"]] == row["size"] for row in rows)
    met = {(row["agent_a"].split(":")[0], row["agent_b"].split(":")[0]) for row in rows}
    assert any(set(pair) == {BOTH, "hex3-conv2x1-s0"} for pair in met)


def test_tensorboard_keeps_its_sizes_apart(study, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    ratings = records.read_ratings(study / "ratings.csv")
    (tmp_path / "runs").symlink_to(study / "runs")
    board = write_board(tmp_path, ratings, {})
    for run, tag in ((BOTH, "elo/size3/puct4"), ("hex3-conv2x1-s0", "elo/puct4")):
        events = EventAccumulator(str(board / "elo" / run))
        events.Reload()
        assert len(events.Scalars(tag)) == 2


def test_a_snapshot_plays_another_size_of_its_game_and_no_other_game(study):
    snapshot = study / "runs" / BOTH / "snapshots" / "000.safetensors"
    play = [f"snapshot={snapshot}", "budget=2", "games=4"]
    for game, title in ((None, "hex2"), ("{size: 3}", "hex3"), ("{name: hex, size: 4}", "hex4")):
        ended = call("experiments.duel", *play, *([f"game={game}"] if game else []))
        assert ended.status == 0 and json.loads(ended.out)["game"] == title, ended.err
    for game, title in (("{size: 3, swap: true}", "hex3-swap"), ('{name: "y", size: 3}', "y3")):
        ended = call("experiments.duel", *play, f"game={game}")
        assert ended.status == 1 and len(lines(ended.err)) == 1, ended.err
        assert f"plays hex2, not {title}: choose one trained on {title}" in ended.err


def test_a_run_too_short_for_its_largest_board_says_so(tmp_path):
    words = ["network=conv", "network.width=2", "training.boards=[{size: 2},{size: 6}]", "training.games=16",
             "training.batch=64", "training.replay_positions=64", "training.positions=300"]  # fmt: skip
    ended = call("experiments.train", *words, "training.budget=2", f"studies={tmp_path}")
    assert ended.status == 1 and "samples of hex6, and the first learner step there waits" in ended.err, ended.err
