"""The duel: two agents, both colours, a share with its interval, and OpenSpiel's players as opponents."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from applications import call

from experiments.duel import Duel, interval, judgement, play_duel, result

HEX3 = {"name": "hex", "size": 3}


def without_time(record):
    return {key: value for key, value in record.items() if key != "seconds"}


def test_perfect_play_beats_openspiel_and_chance():
    record = play_duel(Duel(game=HEX3, strategy="perfect", opponent="random", games=40))
    assert record["game"] == "hex3" and record["games"] == 40 == record["wins"] + record["losses"]
    assert record["share_first"] > 0.9 and record["share"] == record["wins"] / 40
    assert record["share"] == pytest.approx((record["share_first"] + record["share_second"]) / 2)
    assert record["interval"][0] < record["share"] < record["interval"][1]
    assert record["opponent"] == {"strategy": "random"}


@pytest.mark.parametrize("opening_moves", [1, 2])
def test_perfect_play_keeps_what_its_openings_are_worth(opening_moves):
    record = play_duel(Duel(game=HEX3, strategy="random", opponent="perfect", games=40, opening_moves=opening_moves,
                            exact=True))  # fmt: skip
    chance, perfect = record["exact"]["agent"], record["exact"]["opponent"]
    assert chance["won_at_the_start"] + perfect["won_at_the_start"] == 40  # no draws in Hex
    assert perfect["of_these_won"] == perfect["won_at_the_start"] > 5 and perfect["short_of_value"] == 0
    assert perfect["moves_that_kept_the_value"] == perfect["moves"] > 0
    assert chance["short_of_value"] == chance["won_at_the_start"] - chance["of_these_won"] > 0
    assert chance["moves_that_kept_the_value"] < chance["moves"]
    assert record["losses"] == perfect["won_at_the_start"] + chance["short_of_value"]


def test_a_trained_agent_takes_no_won_position_from_the_perfect_player(tiny_run):
    snapshot = sorted((tiny_run / "snapshots").glob("*.safetensors"))[-1]
    record = play_duel(Duel(snapshot=str(snapshot), budget=8, opponent="perfect", games=60, exact=True))
    perfect = record["exact"]["opponent"]
    assert perfect["of_these_won"] == perfect["won_at_the_start"] == 30  # every opening is won for one of the two
    assert perfect["short_of_value"] == 0 and perfect["moves_that_kept_the_value"] == perfect["moves"]


def test_judgement_of_a_worked_example():
    """Two openings, the first won for player 0, the second drawn; the agent is player 0 in games 1 and 3."""
    row = {"outcomes": "dlwd", "moves_a": 9, "optimal_a": 7, "moves_b": 8, "optimal_b": 8}
    judged = judgement(row, np.array([1, 0]))
    assert judged["agent"] == {"won_at_the_start": 1, "of_these_won": 0, "short_of_value": 1, "moves": 9,
                               "moves_that_kept_the_value": 7}  # fmt: skip
    assert judged["opponent"] == {"won_at_the_start": 1, "of_these_won": 1, "short_of_value": 1, "moves": 8,
                                  "moves_that_kept_the_value": 8}  # fmt: skip


@pytest.mark.parametrize("folder", ["hex3-6x1-s0-recipe=default", "runs (old), best", "Jürgen's #1", "~日本"])
def test_a_path_needs_no_quotes_of_its_own(tiny_run, tmp_path, folder):
    (tmp_path / folder).mkdir()
    last = sorted((tiny_run / "snapshots").glob("*.safetensors"))[-1]
    path = pathlib.Path(shutil.copy(last, tmp_path / folder))
    shutil.copy(last.with_suffix(".json"), tmp_path / folder)
    ended = call("experiments.duel", f"snapshot={path}", "budget=1", "games=2")
    assert (ended.status, ended.err) == (0, "") and json.loads(ended.out)["agent"]["snapshot"] == str(path)


def test_a_snapshot_meets_openspiel_by_command(tiny_run, tmp_path):
    snapshot = sorted((tiny_run / "snapshots").glob("*.safetensors"))[-1]
    out = tmp_path / "new" / "duel.json"
    words = [f"snapshot={snapshot}", "budget=4", "opponent=openspiel_mcts", "simulations=20", "games=12", f"out={out}"]
    ended = call("experiments.duel", *words)
    assert ended.status == 0, ended.err
    record = json.loads(out.read_text())
    assert json.loads(ended.out) == record
    assert record["opponent"] == {"strategy": "openspiel_mcts", "settings": {"simulations": 20}}
    assert record["agent"] == {"strategy": "puct", "snapshot": str(snapshot), "precision": "float32", "budget": 4}
    assert record["agent_evaluations_per_move"] > 1 and record["opponent_evaluations_per_move"] == 0
    again = play_duel(Duel(snapshot=str(snapshot), budget=4, opponent="openspiel_mcts", simulations=20, games=12))
    assert without_time(again) == without_time(record)
    other = play_duel(Duel(snapshot=str(snapshot), budget=4, opponent="openspiel_mcts", simulations=20, games=12,
                           seed=1))  # fmt: skip
    assert other["outcomes"] != record["outcomes"] or other["distinct_games"] != record["distinct_games"]


def test_two_budgets_of_one_snapshot_meet(tiny_run):
    snapshot = sorted((tiny_run / "snapshots").glob("*.safetensors"))[-1]
    record = play_duel(Duel(snapshot=str(snapshot), budget=8, opponent="puct", opponent_budget=1, games=8))
    assert record["opponent"] == {"strategy": "puct", "snapshot": str(snapshot), "precision": "float32", "budget": 1}
    assert record["opponent_evaluations_per_move"] == 1 < record["agent_evaluations_per_move"] <= 8


def test_openspiels_players_meet_on_a_game_of_the_bridge():
    record = play_duel(Duel(game={"name": "openspiel", "id": "y(board_size=3)"}, strategy="openspiel_mcts",
                            settings={"simulations": 200}, opponent="openspiel_alphabeta", games=20,
                            opponent_settings={"depth": 1}))  # fmt: skip
    assert record["game"] == "openspiel-y-3" and record["share"] > 0.5


def test_the_row_is_read_from_the_side_of_the_agent():
    row = {"games": 8, "distinct_games": 8, "wins_a": 3, "draws": 2, "wins_b": 3, "wins_a_first": 2, "draws_a_first": 1,
           "moves_a": 10, "evaluations_a": 40, "moves_b": 0, "evaluations_b": 0}  # fmt: skip
    record = result(row)
    assert (record["share"], record["share_first"], record["share_second"]) == (0.5, 0.625, 0.375)
    assert record["agent_evaluations_per_move"] == 4 and record["opponent_evaluations_per_move"] == 0


def test_interval_of_a_worked_example():
    """7 of 10: (7 + z^2 / 2) / (10 + z^2) with z = 1.96 is 0.645; the interval by hand is 0.397 to 0.892."""
    assert interval(0.7, 10) == pytest.approx([0.3968, 0.8922], abs=2e-4)
    assert interval(0.0, 10) == pytest.approx([0, 0.2775], abs=2e-4)
    assert interval(1.0, 10) == pytest.approx([0.7225, 1], abs=2e-4)


def test_games_played_again_do_not_narrow_the_interval():
    row = {"games": 100, "distinct_games": 2, "wins_a": 50, "draws": 0, "wins_b": 50, "wins_a_first": 50,
           "draws_a_first": 0, "moves_a": 1, "evaluations_a": 1, "moves_b": 1, "evaluations_b": 1}  # fmt: skip
    assert result(row)["interval"] == interval(0.5, 2)


@pytest.mark.parametrize("words, reason", [
    (["games=7"], "even number"), (["budget=0"], "budget=0"), ([], "which game"), (["snapshot=nowhere"], "nowhere"),
    (["game={name: hex, size: 3}"], "needs a network"), (["games=many"], "games"), (["oponent=random"], "oponent"),
    (["game={name: hex, size: 3}", "strategy=random", "opponent=stockfish"], "stockfish"),
    (["game={name: hex, size: 3}", "strategy=random", "simulations=5"], "no setting 'simulations'"),
    (["game={name: hex, size: 3}", "strategy=random", "opponent_budget=0"], "opponent_budget=0"),
    (["game={name: hex, size: 9}", "strategy=random", "exact=true"], "from size 2 to 6"),
])  # fmt: skip
def test_what_cannot_be_played_ends_in_one_line(words, reason):
    ended = call("experiments.duel", *words)
    assert ended.status == 1 and reason in ended.err and ended.err.count("\n") == 1, ended.err
