"""One position searched at length, by command: the table, the expected line, proof, stopping, and what is refused."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from applications import call, kill, start, wait_for, written

from agents.network import NetworkEvaluator
from agents.snapshot import load_snapshot
from experiments.position import Position, parts_of
from games import make
from mcts import Puct, Search, search


@pytest.fixture(scope="module")
def snapshot(tiny_run):
    return sorted((tiny_run / "snapshots").glob("*.safetensors"))[-1]


def test_the_table_is_that_of_the_search(snapshot, tmp_path):
    out = tmp_path / "new" / "position.json"
    ended = call("experiments.position", f"snapshot={snapshot}", "moves=b2 a1", "budget=40", "leaves=1", "top=3",
                 "settings={solve: false}", f"out={out}")  # fmt: skip
    assert ended.status == 0, ended.err
    record = json.loads(out.read_text())
    game = make("hex", size=3)
    found = Search(game, game.play(game.reset(1)[0], 4, 0)[None], Puct(), 40)
    found.run(NetworkEvaluator(load_snapshot(snapshot).network), 40)
    visits = {move["move"]: move["visits"] for move in record["moves"]}
    assert visits == {game.action_text(a): found.root_visits[0, a] for a in range(9) if a not in (0, 4)}
    assert list(visits.values()) == sorted(visits.values(), reverse=True) and sum(visits.values()) == 39
    assert record["best"] == game.action_text(int(found.choose()[0])) and record["value"] == found.root_value[0]
    assert (record["simulations"], record["evaluations"], record["proven"]) == (40, found.evaluations[0], None)
    for column in ("policy", "prior"):
        assert sum(move[column] for move in record["moves"]) == pytest.approx(1, abs=1e-5)
    assert f"best {record['best']}" in ended.out and "and 4 moves more" in ended.out


def test_a_root_under_every_symmetry_is_one_though_the_search_is_made_in_parts(snapshot, tmp_path):
    out = tmp_path / "position.json"
    words = [f"snapshot={snapshot}", "budget=40", "leaves=1", "settings={root_symmetries: true}", f"out={out}"]
    assert call("experiments.position", *words).status == 0
    game = make("hex", size=3)
    rule = Puct(solve=True, root_symmetries=True)
    found = search(game, game.reset(1), NetworkEvaluator(load_snapshot(snapshot).network), 40, rule)
    record = json.loads(out.read_text())
    assert record["simulations"] == found.simulations[0] == 39  # one evaluation less for the tree
    assert {move["move"]: move["prior"] for move in record["moves"]} == {
        game.action_text(a): found.root_prior[0, a] for a in range(9)
    }


@pytest.mark.parametrize(("budget", "leaves"), [(1000, 16), (1000, 1), (40, 64), (100_000, 64), (1, 8)])
def test_parts_of_a_search_cut_no_batch_of_leaves(snapshot, budget, leaves):
    game = make("hex", size=3)
    parts = parts_of(Search(game, game.reset(1), Puct(), budget), Position(str(snapshot), budget=budget, leaves=leaves))
    assert parts[0] == 1 and parts[-1] == budget and len(parts) <= 202
    assert (np.diff(parts[:-1]) % leaves == 0).all() and (np.diff(parts) > 0).all()


def test_the_line_is_one_of_legal_moves_and_begins_with_its_own(snapshot, tmp_path):
    out = tmp_path / "position.json"
    assert call("experiments.position", f"snapshot={snapshot}", "budget=300", f"out={out}").status == 0
    game = make("hex", size=3)
    names = [game.action_text(action) for action in range(9)]
    lines = {move["move"]: move["line"] for move in json.loads(out.read_text())["moves"]}
    assert len(lines) == 9 and max(map(len, lines.values())) > 2
    for move, line in lines.items():
        assert line[0] == move
        game.play(game.reset(1)[0], *map(names.index, line))  # raises if a move is not legal


def test_a_position_from_a_file_is_proven_and_ends_the_search(snapshot, tmp_path):
    game = make("hex", size=3)
    state = game.play(game.reset(1)[0], 4, 0, 2, 1)  # x holds the centre and two ways to either edge
    (tmp_path / "board.txt").write_text(game.draw(state))
    out = tmp_path / "position.json"
    words = [f"snapshot={snapshot}", f"position={tmp_path}/board.txt", "budget=5000", f"out={out}"]
    ended = call("experiments.position", *words)
    assert ended.status == 0, ended.err
    record = json.loads(out.read_text())
    assert (record["proven"], record["value"]) == ("wins", 1.0) and record["simulations"] < 1000
    assert "proven: wins" in ended.out and record["moves"][0]["proven"] == "wins"


@pytest.mark.parametrize("strategy", ["gumbel", "regularised"])
def test_other_rules_look_too(snapshot, strategy):
    ended = call("experiments.position", f"snapshot={snapshot}", f"strategy={strategy}", "budget=50")
    assert ended.status == 0 and "hex3: best" in ended.out


def test_a_search_that_is_stopped_shows_what_it_has_found(snapshot):
    process = start(f"snapshot={snapshot}", "settings={solve: false}", "budget=10_000_000", "leaves=1",
                    program=("-m", "experiments.position"))  # fmt: skip
    assert wait_for(lambda: "sim/s" in written(process), process)
    ended = kill(process, signal.SIGINT)
    assert ended.status == 0 and "SIGINT: this is what was found so far" in ended.err
    assert "hex3: best" in ended.out and "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["moves=b2 c3 b2"], "error: b2 cannot be played here: expected one of a1, b1, c1, a2, c2, a3, b3 "),
        (["moves=z9"], "'z9' is no move of hex3: expected such as a1"),
        (["moves=b2 a1 b1 a2 b3"], "the game is over here"),
        (["strategy=random"], "strategy=random does not search: expected one that does, such as puct"),
        (["budget=0"], "budget=0 cannot be: expected at least 1"),
        (["budget=100000000000"], "the largest budget that fits is"),
        (["leaves=0"], "leaves=0 cannot be"),
        (["moves=b2 a1 b1 a2 b3 c3"], "c3 cannot be played here: the game is over"),
        (["position=nowhere.txt"], "nowhere.txt: No such file"),
        (["game={name: tictactoe}"], "plays hex3, not tictactoe3"),
        (["game={size: 40}"], "size=40"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(snapshot, words, message):
    ended = call("experiments.position", f"snapshot={snapshot}", *words)
    assert ended.status == 1 and ended.out == "" and message in ended.err
    assert ended.err.startswith("error: ") and "Traceback" not in ended.err


def test_a_file_in_another_encoding_is_named(snapshot, tmp_path):
    drawn = make("hex", size=3).draw(make("hex", size=3).reset(1)[0])
    words = [f"snapshot={snapshot}", f"position={tmp_path}/board.txt", "budget=2"]
    (tmp_path / "board.txt").write_text(drawn, encoding="utf-16")
    ended = call("experiments.position", *words)
    assert ended.status == 1 and f"{tmp_path}/board.txt is no text in UTF-8: expected a position" in ended.err
    (tmp_path / "board.txt").write_bytes(drawn.replace("\n", "\r\n").encode("utf-8-sig"))
    assert call("experiments.position", *words).status == 0


def test_a_snapshot_is_needed():
    ended = call("experiments.position")
    assert ended.status == 1 and "snapshot is not given" in ended.err and not Path("outputs/position").exists()
