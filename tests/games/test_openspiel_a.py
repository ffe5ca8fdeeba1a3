"""Random games of connect_four, mnk, breakthrough and hex on rectangles against OpenSpiel's rules, side by side.

The counts are those of the suite. Ten thousand games of each, some minutes:

    ISOELO_GAMES=10000 python -m pytest tests/games/test_openspiel_a.py -q -n0
"""

import pyspiel
import pytest
from test_openspiel import GAMES, play_side_by_side

from games import make


def in_a_row(game, count, filled):
    """Random games of k in a row beside OpenSpiel's, boards drawn alike; where `filled`, one is the longest."""

    def same_board(state, other):
        drawn = [line.split()[1:] for line in game.draw(state).splitlines()[1:-1]]
        assert ["".join(line) for line in drawn] == str(other).split()

    reference = pyspiel.load_game(game.openspiel_id)
    assert reference.num_distinct_actions() == game.num_actions
    assert reference.max_game_length() == game.max_length
    lengths = play_side_by_side(game, reference, GAMES or count, 0, same_board=None if GAMES else same_board)
    if filled:
        assert lengths.max() == game.max_length


@pytest.mark.parametrize(
    ("rows", "columns", "connect", "count"),
    [(6, 7, 4, 200), (4, 4, 3, 200), (3, 5, 4, 200), (5, 2, 3, 200), (1, 6, 2, 100), (7, 1, 3, 20), (9, 10, 5, 50)],
)
def test_connect_four(rows, columns, connect, count):
    in_a_row(make("connect_four", rows=rows, columns=columns, connect=connect), count, filled=rows * columns <= 15)


@pytest.mark.parametrize(
    ("rows", "columns", "k", "count"),
    [(3, 3, 3, 200), (4, 4, 4, 200), (2, 7, 4, 200), (6, 3, 3, 200), (1, 5, 3, 100), (9, 9, 5, 60), (15, 15, 5, 20)],
)
def test_mnk(rows, columns, k, count):
    in_a_row(make("mnk", rows=rows, columns=columns, k=k), count, filled=rows * columns <= 16)


@pytest.mark.parametrize("size", [9, 15])
def test_gomoku(size):
    """Freestyle: more than five win too, in OpenSpiel's game of that name as in ours."""
    game = make("mnk", rows=size, columns=size, k=5)
    play_side_by_side(game, pyspiel.load_game(f"gomoku(size={size})"), GAMES or 20, 1)


@pytest.mark.parametrize(("rows", "columns", "count"), [(2, 3, 100), (3, 2, 100), (4, 7, 60), (8, 5, 40), (2, 11, 40)])
def test_hex_on_rectangles(rows, columns, count):
    game = make("hex", rows=rows, columns=columns)

    def same_board(state, other):
        ours = [line.split()[1:] for line in game.draw(state).splitlines()[1:-1]]
        assert ours == [line.split() for line in other.to_string().replace("X", "x").replace("O", "o").splitlines()]

    reference = pyspiel.load_game(game.openspiel_id)
    assert reference.num_distinct_actions() == game.num_actions
    play_side_by_side(game, reference, GAMES or count, 0, same_board=None if GAMES else same_board)


class Renumbered:
    """OpenSpiel's breakthrough, or one of its positions, with our numbers for its actions.

    Its own are ((row * columns + col) * 6 + direction) * 2 + capture, with directions 3 to 5 for player 1.
    """

    def __init__(self, theirs, cells):
        self.theirs, self.cells = theirs, cells

    def __getattr__(self, name):
        return getattr(self.theirs, name)

    def new_initial_state(self):
        return Renumbered(self.theirs.new_initial_state(), self.cells)

    def numbers(self):
        """Of the legal actions: ours -> theirs."""
        found = {}
        for action in self.theirs.legal_actions():
            cell, direction = divmod(action // 2, 6)
            assert direction // 3 == self.theirs.current_player()
            found[direction % 3 * self.cells + cell] = action
        return found

    def legal_actions(self):
        return sorted(self.numbers())

    def apply_action(self, action):
        self.theirs.apply_action(self.numbers()[action])


@pytest.mark.parametrize(
    ("rows", "columns", "count"),
    [(6, 6, 100), (8, 8, 40), (2, 2, 20), (3, 7, 100), (4, 3, 200), (5, 5, 100), (6, 2, 200), (7, 4, 60), (9, 10, 10)],
)
def test_breakthrough(rows, columns, count):
    game = make("breakthrough", rows=rows, columns=columns)

    def same_board(state, other):
        drawn = ["".join(line.split()[1:]) for line in game.draw(state).splitlines()[1:-1]]
        theirs = [line[1:] for line in str(other.theirs).splitlines()[:rows]]
        assert drawn == [line.replace("b", "x").replace("w", "o") for line in theirs]

    reference = pyspiel.load_game(f"breakthrough(rows={rows},columns={columns})")
    assert game.max_length <= reference.max_game_length()
    same_board = None if GAMES else same_board
    lengths = play_side_by_side(game, Renumbered(reference, game.size), GAMES or count, 0, None, same_board)
    assert lengths.max() <= game.max_length
