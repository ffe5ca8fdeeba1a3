"""Exact play of m,n,k: alpha-beta over stones as bits, a line per row.

What `narrow` knows: a row that can be completed wins; the opponent's must be stopped, and two lose; who can complete no
row even with all empty cells cannot win.
"""

import numpy as np

from games import stones
from games.core import HEADER, OVER, TO_MOVE, GameError, lean_kernel
from games.forms import Form
from games.mnk import Mnk
from games.searching import Search
from games.stones import BOARD, STONES, STRIDE, completing

LARGEST = 20
"""Cells of the largest board with a perfect player; `python -m games.solve` goes on."""

COLUMNS = 3  # of params, after those of games.stones


@lean_kernel
def legal(state, params, mask):
    keep(mask, params[BOARD] & ~(state[STONES] | state[STONES + 1]) if state[OVER] == 0 else np.int64(0), params)


@lean_kernel
def keep(mask, cells, params):
    row, col = 0, 0
    for action in range(len(mask)):
        mask[action] = (cells >> row * params[STRIDE] + col) & 1 != 0
        col += 1
        if col == params[COLUMNS]:
            row, col = row + 1, 0


@lean_kernel
def apply(state, params, action):
    player = state[TO_MOVE]
    row, col = action // params[COLUMNS], action % params[COLUMNS]
    state[STONES + player] |= np.int64(1) << row * params[STRIDE] + col
    state[TO_MOVE] = 1 - player
    stones.end(state, params, player)


@lean_kernel
def narrow(state, params, mask):
    own, other = state[STONES + state[TO_MOVE]], state[STONES + 1 - state[TO_MOVE]]
    empty = params[BOARD] & ~(own | other)
    if completing(own, params) & empty != 0:
        return 1, 1
    threats = completing(other, params) & empty
    if threats & (threats - 1) != 0:
        return -1, -1
    if threats != 0:
        keep(mask, threats, params)
    return stones.bounds(own, other, empty, params)


def form(game: Mnk) -> Form:
    stride = game.columns + 1
    stones.check_room(game, stride * game.rows)
    bits = np.add.outer(stride * np.arange(game.rows), np.arange(game.columns)).ravel()
    row, col = np.indices((game.rows, game.columns))
    away = np.abs(2 * row - game.rows + 1) + np.abs(2 * col - game.columns + 1)
    return Form(legal, apply, stones.key, narrow,
                np.array([stride, sum(1 << int(bit) for bit in bits), game.k, game.columns]),
                stones.key_words(bits, game.symmetries.cells),
                lambda states: stones.pack(states, states[:, HEADER:-1], bits), -away.ravel())  # fmt: skip


def prover(game: Mnk, **memory) -> Search:
    """The search without a limit but the bits of a word."""
    return Search(game, form(game), **memory)


def solver(game: Mnk) -> Search:
    """Exact play. Raises GameError for boards that take too long to play on."""
    if game.size > LARGEST:
        raise GameError(
            f"exact play of m,n,k goes up to {LARGEST} cells, not {game.rows} x {game.columns}: choose a smaller "
            f"board, or rate the agents without a perfect player"
        )
    return prover(game)
