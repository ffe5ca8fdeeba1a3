"""Rules beside each other: what the table says, and that nothing finished is played again."""

import json

import pytest
from applications import call

from agents.network import make_network
from agents.snapshot import save_snapshot
from experiments.rules import table, verdict
from games import make


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "000.safetensors"
    game = make("hex", size=3)
    save_snapshot(path, game, make_network("fc", game, seed=1, width=4, depth=1), {"index": 0, "ledger": {}})
    return path


def test_the_interval_comes_from_the_openings():
    row = {"outcomes": "wwwlwwll", "games": 8, "distinct_games": 8, "moves_a": 4, "moves_b": 5, "evaluations_a": 8,
           "evaluations_b": 5}  # fmt: skip
    found = verdict(row)
    assert found["share"] == 0.625  # openings of 1, 0.5, 1 and 0
    assert found["interval"] == pytest.approx([0.625 - 1.96 * 0.4787 / 2, 0.625 + 1.96 * 0.4787 / 2], abs=1e-3)
    assert (found["evaluations_default"], found["evaluations_contender"]) == (2, 1)
    lost = verdict(row | {"outcomes": "llllllww"})
    what = {"game": "hex3", "contender": "x", "budget": 2}
    assert "*" not in table([what | found])
    assert "0.250±0.490" in table([what | lost])
    behind = {"game": "hex3", "contender": "x", "budget": 2, "share": 0.4, "interval": [0.35, 0.45]}
    assert "0.400±0.050*" in table([behind])


@pytest.mark.parametrize(("letter", "share", "expected"), [("w", 1, [0.51, 1]), ("l", 0, [0, 0.49])])
def test_a_side_that_won_every_game_may_still_lose_one(letter, share, expected):
    """Wilson's interval of no loss in n openings goes to n / (n + 1.96^2), here 4 / 7.84."""
    row = {"outcomes": 8 * letter, "games": 8, "distinct_games": 8, "moves_a": 4, "moves_b": 5, "evaluations_a": 8,
           "evaluations_b": 5}  # fmt: skip
    found = verdict(row)
    assert found["share"] == share and found["interval"] == pytest.approx(expected, abs=1e-3)


def test_rows_are_kept_as_they_come_and_not_played_again(snapshot, tmp_path):
    arguments = [f"snapshot={snapshot}", "openings=4", "contenders=[{name: same, rule: puct}, {name: g, rule: gumbel}]",
                 f"out={tmp_path}"]  # fmt: skip
    first = call("experiments.rules", *arguments, "budgets=[2]")
    assert first.status == 0, first.err
    rows = json.loads((tmp_path / "rules.json").read_text())["rows"]
    assert [(row["contender"], row["budget"]) for row in rows] == [("same", 2), ("g", 2)]
    assert rows[0]["share"] == 0.5 and rows[0]["interval"] == [0.5, 0.5]  # a rule against itself
    again = call("experiments.rules", *arguments, "budgets=[2,4]")
    assert again.status == 0, again.err
    assert json.loads((tmp_path / "rules.json").read_text())["rows"][:2] == rows
    other = call("experiments.rules", *arguments, "budgets=[2]", "seed=1")
    assert other.status == 1 and "made with other settings" in other.err


def test_a_network_of_several_sizes_plays_each_of_them_or_one_that_is_named(tmp_path):
    path, out = tmp_path / "000.safetensors", tmp_path / "out" / "rules.json"
    boards = [make("hex", size=size) for size in (2, 3)]
    network = make_network("conv", boards[0], seed=1, width=2, depth=1)
    save_snapshot(path, boards[0], network, {"index": 0, "ledger": {}, "boards": [game.settings for game in boards]})
    arguments = [f"snapshot={path}", "openings=4", "contenders=[{name: g, rule: gumbel}]", "budgets=[2,3]",
                 f"out={out.parent}"]  # fmt: skip
    ended = call("experiments.rules", *arguments)
    assert ended.status == 0 and "hex2 g" in ended.out and "hex3 g" in ended.out, ended.err
    rows = json.loads(out.read_text())["rows"]
    assert [(row["game"], row["budget"]) for row in rows] == [("hex2", 2), ("hex2", 3), ("hex3", 2), ("hex3", 3)]
    for size, title in ((3, "hex3"), (4, "hex4")):
        ended = call("experiments.rules", *arguments, f"game={{size: {size}}}")
        assert ended.status == 0 and f"{title} g" in ended.out and "hex2 g" not in ended.out, ended.err
    after = json.loads(out.read_text())["rows"]
    assert after[:4] == rows and [row["game"] for row in after[4:]] == ["hex4", "hex4"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("contenders=[{name: x, rule: best}]", "no strategy 'best'"),
        ("contenders=[{name: x, rule: puct, depth: 3}]", "no setting 'depth'"),
        ("contenders=[{rule: puct}]", "expected name, rule"),
        ("game={size: 4}", "plays hex3, not hex4: choose one trained on hex4"),
        ("game={size: 99}", "size=99 cannot be"),
        ("contenders=[{name: x, rule: puct}, {name: x, rule: gumbel}]", "called x, x: expected a name of its own"),
        ("budgets=[0]", "expected different numbers from 1 up"),
        ("budgets=[2,2]", "expected different numbers from 1 up"),
        ("snapshot=nothing.safetensors", "does not exist"),
    ],
)
def test_bad_settings_end_in_one_line(override, message, snapshot, tmp_path):
    ended = call("experiments.rules", f"snapshot={snapshot}", f"out={tmp_path}", "openings=2", override)
    assert ended.status == 1 and message in ended.err
