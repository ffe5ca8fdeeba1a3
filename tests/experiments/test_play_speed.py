"""The speed of the rules beside OpenSpiel's: fair choices, whole games, honest rows, and bad input."""

import json
import random

import numpy as np
import pytest

from experiments import play_speed
from games import make
from mcts.streams import seed_streams

QUICK = ["--games", "16", "--repetitions", "3", "--seconds", "0.01"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    out = tmp_path_factory.mktemp("speed")
    chosen = ["tictactoe", "connect_four,rows=4", "breakthrough,rows=4,columns=3@breakthrough(rows=4,columns=3)"]
    assert play_speed.main([*chosen, *QUICK, "--out", str(out)]) == 0
    return json.loads((out / "play_speed.json").read_text())


def test_rows_name_both_games(rows):
    assert [row["title"] for row in rows] == ["tictactoe3", "connect_four4x7", "breakthrough4x3"]
    assert rows[1]["openspiel"] == "connect_four(rows=4,columns=7,x_in_row=4)"
    assert rows[2]["settings"] == {"rows": 4, "columns": 3, "home": 0}
    assert (rows[0]["games_in_lockstep"], rows[0]["repetitions"], rows[0]["seed"]) == (16, 3, 0)


def test_values_are_sane(rows):
    for row in rows:
        for name in ("moves_per_s", "openspiel_moves_per_s", "moves_ratio", "games_ratio"):
            low, high = row[f"{name}_spread"]
            assert 0 < low <= row[name] <= high
        for whose in ("", "openspiel_"):  # moves per game, the same for both
            assert row[f"{whose}moves_per_s"] > row[f"{whose}games_per_s"] > 0
    mine, theirs = (rows[0][f"{whose}moves_per_s"] / rows[0][f"{whose}games_per_s"] for whose in ("", "openspiel_"))
    assert mine == pytest.approx(theirs, rel=0.1) and 7 < mine < 8.3  # 7.62 on average in random tic-tac-toe


@pytest.mark.parametrize("actions", [40, 400])
def test_choices_are_legal_and_equally_likely(actions):
    """From a list, and by blind draws."""
    masks = np.zeros((6000, actions), bool)
    masks[:, [0, 7, 39]] = True
    chosen = np.zeros(6000, np.int64)
    play_speed.choose(masks, seed_streams(3, np.arange(6000)), chosen)
    counts = np.bincount(chosen, minlength=actions)
    assert counts.sum() == counts[[0, 7, 39]].sum()
    assert (abs(counts[[0, 7, 39]] - 2000) < 150).all()  # four standard deviations


def test_ended_games_begin_again():
    ours = play_speed.Ours(make("tictactoe"), 50, 0)
    pace = ours.play(0.05)
    assert not ours.game.over(ours.states).any()
    assert pace.moves % 50 == 0 and pace.moves / 9 - 50 <= pace.games <= pace.moves / 5


def test_openspiel_plays_whole_games():
    pair = play_speed.pair("tictactoe")
    pace = play_speed.play_openspiel(pair.reference, random.Random(0), 1e-9)
    assert pace.games == 1 and 5 <= pace.moves <= 9


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "no game 'nope'"),
        (["hex,size=1"], "size=1 cannot be"),
        (["hex,5"], "'5' is no setting"),
        (["breakthrough"], "names no game of OpenSpiel"),
        (["breakthrough@breakthrough"], "begins with 16 moves, breakthrough with 22: not the same game"),
        (["tictactoe@tic_tac_tow"], "OpenSpiel has no game 'tic_tac_tow'"),
    ],
)
def test_bad_games_are_refused_in_one_line(arguments, words, capsys):
    assert play_speed.main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err.splitlines()[-1] and captured.err.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize("option", ["--games=0", "--seconds=0", "--repetitions=-1", "--games=many"])
def test_bad_numbers_are_refused(option, capsys):
    with pytest.raises(SystemExit) as caught:
        play_speed.main(["tictactoe", option])
    assert caught.value.code == 2 and option.split("=")[0] in capsys.readouterr().err
