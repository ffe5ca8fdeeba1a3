"""Numbers of positions that others have counted and published: rules held against programs that nobody here wrote.

Solved positions are in test_solve.py, games counted move by move with each game's tests. Larger counts, a minute more:

    ISOELO_PUBLISHED=1 python -m pytest tests/games/test_published.py -q -n0
"""

import os

import numpy as np
import pytest

from games import OVER, TO_MOVE, go, make
from games.enumeration import expand

ALL = bool(os.environ.get("ISOELO_PUBLISHED"))
MOST = 2_000_000 if ALL else 40_000

# ---- Connect Four --------------------------------------------------------------------------------------------------

# Positions of four in a row, unfinished and finished, by rows and columns from 1 on. J. Tromp, John's Connect Four
# Playground, tromp.github.io/c4/c4.html; counted again by M. Böck, Strongly Solving Connect-Four on Consumer Grade
# Hardware, arXiv 2507.05267, 2025. Boards without a line of four are left out here.
POSITIONS = {
    1: [None] * 3 + [35, 96, 267, 750, 2118, 6010, 17120, 48930, 140243, 402956],
    2: [None] * 3 + [741, 4688, 29737, 189648, 1216721],
    3: [None] * 3 + [12031, 158911],
    4: [5, 179, 6000, 161029],
    5: [6, 537, 38310, 1706255],
    6: [7, 1571, 235781],
    7: [8, 4587, 1417322],
    8: [9, 13343],
    9: [10, 38943],
    10: [11, 113835],
    11: [12, 333745],
    12: [13, 980684],
}
BOARDS = [
    (rows, columns, count)
    for rows, counts in POSITIONS.items()
    for columns, count in enumerate(counts, 1)
    if count and (count <= MOST or rows == columns == 4)
]


@pytest.mark.parametrize(("rows", "columns", "count"), BOARDS)
def test_positions_of_connect_four(rows, columns, count):
    assert len(expand(make("connect_four", rows=rows, columns=columns), 2_000_000).states) == count


# ---- Go ------------------------------------------------------------------------------------------------------------


def stones(state):
    return state[go.STONES : go.STONES + 8].tobytes()


@pytest.mark.parametrize(("size", "count"), [(2, 57), (3, 12675)])
def test_legal_positions_of_go(size, count):
    """J. Tromp, G. Farnebäck, Combinatorics of Go, 2007: boards on which every group has an empty point beside it.

    All are reached, by stones and passes alone; and no capture leads to another one.
    """
    game = make("go", size=size, repetition="draw")
    layer, found, ways = game.reset(1), set(), set()
    while len(layer):
        found.update(stones(state) for state in layer)
        new = {(stones(state), state[TO_MOVE]): state for state in layer if not state[OVER]}
        fresh = [state for way, state in new.items() if way not in ways]
        fresh = np.array(fresh, game.state_dtype).reshape(-1, game.state_words)
        ways.update(new)
        rows, actions = np.nonzero(game.legal(fresh))
        layer = fresh[rows]
        game.advance(layer, actions)
    assert len(found) == count
