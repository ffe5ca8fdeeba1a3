"""Boards of rows as text, with kinds of cells of a game's own."""

import numpy as np
import pytest

from games import grid_text
from games.core import GameError

MARKS = ".xo#*"
BOARD = np.array([[0, 1, 3], [4, 2, 0]])
TEXT = "   a b c\n 1 . x #\n 2 * o .\nx to move"


def test_a_board_with_marks_of_its_own_is_drawn_and_read():
    assert grid_text.draw(BOARD, np.zeros(3, np.int16), MARKS) == TEXT
    cells, last = grid_text.read("amazons", TEXT, 2, 3, MARKS)
    assert (cells == BOARD).all() and last == "x to move"


def test_a_mark_of_another_game_is_refused_with_those_of_this_one():
    with pytest.raises(GameError, match=r"row 1 must be its number and 3 of '[.]', 'x', 'o', with spaces"):
        grid_text.read("hex", TEXT, 2, 3)
