"""Tic-tac-toe: drawn boards, text, refusals, and the whole tree counted."""

import numpy as np
import pytest

from games import HEADER, OVER, RESULT, TO_MOVE, GameError, make
from games.tictactoe import wins

GAME = make("tictactoe")


def test_drawn_games():
    won = GAME.play(GAME.reset(1)[0], 0, 4, 1, 5, 2)
    assert GAME.draw(won) == "x x x\n. o o\n. . ."
    assert (won[OVER], won[RESULT], won[TO_MOVE]) == (1, 1, 1)
    lost = GAME.play(GAME.reset(1)[0], 0, 2, 1, 4, 8, 6)
    assert GAME.draw(lost) == "x x o\n. o .\no . x" and lost[RESULT] == -1
    drawn = GAME.play(GAME.reset(1)[0], 0, 1, 2, 4, 3, 5, 7, 6, 8)
    assert GAME.draw(drawn) == "x o x\nx o o\no x x" and (drawn[OVER], drawn[RESULT]) == (1, 0)


def test_every_line_and_nothing_else_wins():
    lines = {(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)}
    for marks in range(512):
        board = np.array([marks >> cell & 1 for cell in range(9)], np.int16)
        assert wins(board, 1) == any(board[list(line)].all() for line in lines)


def test_the_whole_tree():
    """255,168 games; x wins 131,184, o wins 77,904, 46,080 are drawn (the known counts)."""
    counts = {1: 0, -1: 0, 0: 0}
    states = GAME.reset(1)
    while len(states):
        rows, actions = np.nonzero(GAME.legal(states))
        states = states[rows]
        GAME.advance(states, actions)
        over = GAME.over(states)
        for result in counts:
            counts[result] += int((GAME.result(states[over]) == result).sum())
        states = states[~over]
    assert counts == {1: 131184, -1: 77904, 0: 46080}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected 9"),
        ("x . .", "expected 9"),
        ("x . . . . . . . z", "expected 9"),
        ("x x . . . . . . .", "2 x and 0 o cannot be"),
        ("o . . . . . . . .", "0 x and 1 o cannot be"),
        ("x x x o o o . . .", "complete before the last move"),
        ("x x x o o . o . .", "complete before the last move"),
    ],
)
def test_text_that_is_no_position_is_refused(text, words):
    with pytest.raises(GameError, match=words):
        GAME.parse(text)


def test_text_round_trip():
    state = GAME.play(GAME.reset(1)[0], 4, 0, 8)
    np.testing.assert_array_equal(GAME.parse(GAME.draw(state)), state)
    assert state[HEADER:].tolist() == [2, 0, 0, 0, 1, 0, 0, 0, 1]
    assert [GAME.action_text(action) for action in (0, 2, 6)] == ["a1", "c1", "a3"]
