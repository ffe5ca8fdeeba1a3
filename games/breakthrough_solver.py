"""Exact play of Breakthrough: alpha-beta over pieces as bits, a line per row.

What `narrow` knows: a piece one row from its goal wins; an opponent's there must be taken at once, and two lose.
"""

import numpy as np

from games import stones
from games.breakthrough import Breakthrough
from games.core import HEADER, OVER, RESULT, TO_MOVE, GameError, lean_kernel
from games.forms import Form
from games.searching import Search
from games.stones import BOARD, STONES, STRIDE

LARGEST = 25
"""Cells of the largest board with a perfect player, with one row of pieces; `python -m games.solve` goes on."""

ROWS, COLUMNS = 2, 3  # of params, after those of games.stones


@lean_kernel
def legal(state, params, mask):
    for direction in range(3):
        keep(mask, movers(state, params, direction), direction, params)


@lean_kernel
def movers(state, params, direction):
    """The pieces that can make a step in a direction: column - 1, straight, column + 1."""
    player = state[TO_MOVE]
    own, other = state[STONES + player], state[STONES + 1 - player]
    step = (params[STRIDE] if player == 0 else -params[STRIDE]) + direction - 1
    open_cells = params[BOARD] & ~(own | other if direction == 1 else own)
    return own & stones.shifted(open_cells, -step) if state[OVER] == 0 else np.int64(0)


@lean_kernel
def keep(mask, pieces, direction, params):
    action = direction * params[ROWS] * params[COLUMNS]
    for row in range(params[ROWS]):
        for col in range(params[COLUMNS]):
            mask[action] = (pieces >> row * params[STRIDE] + col) & 1 != 0
            action += 1


@lean_kernel
def apply(state, params, action):
    player, cells = state[TO_MOVE], params[ROWS] * params[COLUMNS]
    direction, cell = action // cells, action % cells
    row, col = cell // params[COLUMNS], cell % params[COLUMNS]
    begin = np.int64(1) << row * params[STRIDE] + col
    target = stones.shifted(begin, (params[STRIDE] if player == 0 else -params[STRIDE]) + direction - 1)
    state[STONES + player] ^= begin | target
    state[STONES + 1 - player] &= ~target
    state[TO_MOVE] = 1 - player
    if target & goal(params, player) != 0 or state[STONES + 1 - player] == 0:
        state[OVER], state[RESULT] = 1, 1 - 2 * player


@lean_kernel
def goal(params, player):
    """The row that a player wants to reach."""
    first = (np.int64(1) << params[COLUMNS]) - 1
    return first << (params[ROWS] - 1) * params[STRIDE] if player == 0 else first


@lean_kernel
def narrow(state, params, mask):
    player = state[TO_MOVE]
    ahead = params[STRIDE] if player == 0 else -params[STRIDE]
    if state[STONES + player] & stones.shifted(goal(params, player), -ahead) != 0:
        return 1, 1
    threat = state[STONES + 1 - player] & stones.shifted(goal(params, 1 - player), ahead)
    if threat & (threat - 1) != 0:
        return -1, -1
    if threat != 0:
        for direction in range(3):
            taking = stones.shifted(threat, 1 - direction - ahead) if direction != 1 else np.int64(0)
            keep(mask, movers(state, params, direction) & taking, direction, params)
    return -1, 1


def form(game: Breakthrough) -> Form:
    stride = game.columns + 1
    stones.check_room(game, stride * game.rows)
    board = np.arange(game.size).reshape(game.rows, game.columns)
    bits = np.add.outer(stride * np.arange(game.rows), np.arange(game.columns)).ravel()
    views = np.stack([board.ravel(), board[::-1].ravel()])
    return Form(legal, apply, stones.key, narrow,
                np.array([stride, sum(1 << int(bit) for bit in bits), game.rows, game.columns]),
                stones.key_words(bits, game.symmetries.cells, views),
                lambda states: stones.pack(states, states[:, HEADER:-2], bits),
                np.zeros(game.num_actions, np.int64))  # fmt: skip


def prover(game: Breakthrough, **memory) -> Search:
    """The search without a limit but the bits of a word."""
    return Search(game, form(game), **memory)


def solver(game: Breakthrough) -> Search:
    """Exact play. Raises GameError for boards that take too long to play on."""
    if game.size > LARGEST or game.home > 1:
        raise GameError(
            f"exact play of Breakthrough goes up to {LARGEST} cells with one row of pieces, not {game.rows} x "
            f"{game.columns} with {game.home}: choose a smaller board, or rate the agents without a perfect player"
        )
    return prover(game)
