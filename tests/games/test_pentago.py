"""Pentago: turns and ends drawn by hand, a slow twin, text, and input that must be refused."""

import os

import numpy as np
import pytest
from boards import edited
from pentago_twin import SlowPentago

from games import OVER, RESULT, TO_MOVE, GameError, make
from games.conformance import check_game

GAME = make("pentago")

# ---- drawn boards --------------------------------------------------------------------------------------------------

# The upper left quarter, turned with the clock, stands up: both colours get five, or only o where a5 is missing.
BOTH_COMING = """
   a b c d e f
 1 . . . . . .
 2 o o o . . .
 3 x x x . . .
 4 x o . . . .
 5 x o . . . .
 6 . . . . . .
x to move"""

BOTH = """
   a b c d e f
 1 x o . . . .
 2 x o . . . .
 3 x o . . . .
 4 x o . . . .
 5 x o . . . .
 6 . . . . . x
drawn"""

ONLY_O_COMING = BOTH_COMING.replace("5 x o . . . .", "5 . o . . . x")

FOUR = """
   a b c d e f
 1 x . . . . .
 2 x . . . o .
 3 x . . . o .
 4 x . . . o .
 5 . . . . o .
 6 . . . . . .
x to move"""

FULL = """
   a b c d e f
 1 x x o o x x
 2 o o x x o o
 3 x x o o x x
 4 o o x x o o
 5 x x o o x x
 6 o o x x o o
drawn"""


def action(name):
    return next(a for a in range(GAME.num_actions) if GAME.action_text(a) == name)


def played(*names, start=None):
    state = GAME.reset(1)[0] if start is None else GAME.parse(start)
    return GAME.play(state, *map(action, names))


@pytest.mark.parametrize(
    ("move", "cell"),
    [
        ("a1s", "a3"), ("a1t", "c1"), ("b1s", "a2"), ("b1t", "c2"), ("b2t", "b2"), ("a1u", "a1"),
        ("d1u", "d3"), ("d1v", "f1"), ("f2u", "e1"), ("e2v", "e2"),
        ("d4w", "d6"), ("d4x", "f4"), ("e6w", "f5"), ("e6x", "d5"),
        ("a4y", "a6"), ("a4z", "c4"), ("c5y", "b4"), ("c5z", "b6"),
    ],
)  # fmt: skip
def test_turns(move, cell):
    """Where the first stone stands after its turn: s, u, w, y against the clock, t, v, x, z with it."""
    board = GAME.observe(played(move)[None])[0, 1]
    (row, col) = np.argwhere(board)[0]
    assert (board.sum(), f"{'abcdef'[col]}{row + 1}") == (1, cell)


def test_five_of_both_at_once_is_a_draw():
    state = played("f6t", start=BOTH_COMING)
    assert GAME.draw(state) == BOTH.strip("\n") and (state[OVER], state[RESULT]) == (1, 0)
    assert not GAME.legal(state[None]).any()


def test_a_turn_can_make_the_opponent_win():
    state = played("f6t", start=ONLY_O_COMING)
    assert (state[OVER], state[RESULT], state[TO_MOVE]) == (1, -1, 1)
    assert GAME.draw(state).endswith("o has won")
    np.testing.assert_array_equal(GAME.parse(GAME.draw(state)), state)


def test_five_counts_after_the_turn_only():
    assert played("a5w", start=FOUR)[RESULT] == 1
    assert played("a5t", start=FOUR)[OVER] == 0


def test_the_last_stone_without_five_is_a_draw():
    empty = FULL.replace("6 o o x x o o", "6 o o x x o .").replace("drawn", "o to move")
    for name in ("f6w", "f6x"):
        state = played(name, start=empty)
        assert (state[OVER], state[RESULT]) == (1, 0)
    np.testing.assert_array_equal(GAME.parse(FULL), GAME.parse(GAME.draw(GAME.parse(FULL))))


# ---- the slow twin -------------------------------------------------------------------------------------------------


def test_random_games_agree_with_the_twin():
    rng = np.random.default_rng(0)
    for _ in range(int(os.environ.get("ISOELO_TWIN_GAMES", 15))):
        state, twin = GAME.reset(1), SlowPentago()
        while legal := twin.legal():
            assert np.flatnonzero(GAME.legal(state)[0]).tolist() == legal
            assert state[0, TO_MOVE] == twin.player and not GAME.over(state)[0]
            assert GAME.observe(state)[0].tolist() == twin.views()
            chosen = rng.choice(legal)
            twin.play(chosen)
            GAME.advance(state, np.array([chosen]))
        assert GAME.over(state)[0] and GAME.result(state)[0] == twin.result()


# ---- promises, facts, text -----------------------------------------------------------------------------------------


def test_promises():
    check_game(GAME)


def test_facts():
    assert (GAME.title, GAME.num_actions, GAME.max_length, GAME.can_draw) == ("pentago6", 288, 36, True)
    assert [GAME.action_text(a) for a in (0, 1, 15, 287)] == ["a1s", "a1t", "b1z", "f6z"]
    assert len(GAME.symmetries.actions) == 8
    with pytest.raises(GameError, match="no setting 'size'"):
        make("pentago", size=6)
    with pytest.raises(GameError, match="action 0 is not legal in pentago6"):
        played("a1u", "a1s")
    with pytest.raises(GameError, match="the game is over"):
        played("c1s", start=BOTH)


# Whichever turn is taken back, and whichever x with it, a row of five is left.
TOO_LATE = """
   a b c d e f
 1 x x x x x o
 2 x x x x x o
 3 . . o . . .
 4 . o . o . x
 5 . . . . . .
 6 o o o o o .
drawn"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected 8 lines"),
        (edited(BOTH, ("a b c", "a b d")), "expected the letters a b c d e f"),
        (edited(BOTH, ("6 . .", "6 . z")), "row 6 must be its number and 6 of"),
        (edited(BOTH, ("6 . .", "6 . x")), "7 x and 5 o cannot be"),
        (edited(BOTH, ("6 . . . . . x", "6 o . . . . .")), "5 x and 6 o cannot be"),
        (edited(BOTH, ("drawn", "x has won")), "the last line must be 'drawn'"),
        (edited(FOUR, ("x to", "o to")), "the last line must be 'x to move'"),
        (edited(FOUR, ("5 .", "5 x")), "the last line must be 'x has won'"),
        (TOO_LATE, "five in a row were there before the last move"),
    ],
)  # fmt: skip
def test_text_that_is_no_position_is_refused(text, words):
    with pytest.raises(GameError) as caught:
        GAME.parse(text)
    assert words in str(caught.value).splitlines()[0]
