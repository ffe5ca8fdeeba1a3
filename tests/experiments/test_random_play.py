"""The speed of the rules beside OpenSpiel's: fair choices, whole games, honest rows, and which games are the same."""

import random

import numpy as np
import pytest

from experiments import random_play
from games import make
from mcts.streams import seed_streams


@pytest.fixture(scope="module")
def row():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(random_play, "SECONDS", 0.01)
        patch.setattr(random_play, "LOCKSTEP", 16)
        return random_play.measure(random_play.pair(make("tictactoe")), 3, 0, lambda: None)


def test_values_are_sane(row):
    assert (row["openspiel"], row["random_games"]) == ("tic_tac_toe", 16)
    for name in ("random_moves_per_s", "openspiel_moves_per_s", "random_moves_ratio", "random_games_ratio"):
        low, high = row[f"{name}_spread"]
        assert 0 < low <= row[name] <= high
    mine, theirs = (row[f"{whose}_moves_per_s"] / row[f"{whose}_games_per_s"] for whose in ("random", "openspiel"))
    assert mine == pytest.approx(theirs, rel=0.1) and 7 < mine < 8.3  # 7.62 on average in random tic-tac-toe


def test_the_table_names_the_game(row):
    assert "tictactoe3" in random_play.table({"tictactoe3": row}).splitlines()[1]


@pytest.mark.parametrize("actions", [40, 400])
def test_choices_are_legal_and_equally_likely(actions):
    """From a list, and by blind draws."""
    masks = np.zeros((6000, actions), bool)
    masks[:, [0, 7, 39]] = True
    chosen = np.zeros(6000, np.int64)
    random_play.choose(masks, seed_streams(3, np.arange(6000)), chosen)
    counts = np.bincount(chosen, minlength=actions)
    assert counts.sum() == counts[[0, 7, 39]].sum()
    assert (abs(counts[[0, 7, 39]] - 2000) < 150).all()  # four standard deviations


def test_ended_games_begin_again():
    ours = random_play.Ours(make("tictactoe"), 50, 0)
    pace = ours.play(0.05)
    assert not ours.game.over(ours.states).any()
    assert pace.moves % 50 == 0 and pace.moves / 9 - 50 <= pace.games <= pace.moves / 5


def test_openspiel_plays_whole_games():
    pair = random_play.pair(make("tictactoe"))
    pace = random_play.play_openspiel(pair.reference, random.Random(0), 1e-9)
    assert pace.games == 1 and 5 <= pace.moves <= 9


@pytest.mark.parametrize(("name", "settings", "openspiel"), [
    ("connect_four", {"rows": 4}, "connect_four(rows=4,columns=7,x_in_row=4)"),
    ("breakthrough", {"rows": 4, "columns": 3}, "breakthrough(rows=4,columns=3)"),
    ("openspiel", {"id": "havannah(board_size=3)"}, "havannah(board_size=3)"),
    ("breakthrough", {"rows": 6, "home": 1}, None),
    ("go", {"size": 5}, None),  # positional superko
])  # fmt: skip
def test_a_game_stands_beside_the_same_game_only(name, settings, openspiel, capfd):
    found = random_play.pair(make(name, **settings))
    assert (None if found is None else found.openspiel) == openspiel
    assert capfd.readouterr().err == ""


def test_every_familiar_game_has_its_counterpart():
    games = random_play.familiar()
    assert {game.name for game in games} >= {
        "hex",
        "connect_four",
        "othello",
        "breakthrough",
        "mnk",
        "y",
        "pentago",
        "go",
    }
    assert all(random_play.pair(game) is not None for game in games)
