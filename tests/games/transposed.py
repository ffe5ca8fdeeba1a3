"""Domineering on a square board: player 0 lays dominoes down, player 1 across, so the board is transposed for player 1.

Its two players' mirrors are not the same turn of the board: what player 0 sees upside down, player 1 sees mirrored.
"""

import numpy as np

from games import grid_text
from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, kernel


@kernel
def reset(state, params):
    state[:] = 0


@kernel
def fits(state, params, action):
    """Actions 0 to cells - 1 are the upper cells of player 0's dominoes; the left ones of player 1's follow."""
    size, cells = params[0], params[0] * params[0]
    cell = action % cells
    across = action // cells
    inside = cell % size < size - 1 if across else cell // size < size - 1
    if across != state[TO_MOVE] or not inside:
        return False
    return state[HEADER + cell] == 0 and state[HEADER + cell + (1 if across else size)] == 0


@kernel
def legal(state, params, mask):
    for action in range(2 * params[0] * params[0]):
        mask[action] = state[OVER] == 0 and fits(state, params, action)


@kernel
def end_if_stuck(state, params):
    for action in range(2 * params[0] * params[0]):
        if fits(state, params, action):
            return
    state[OVER] = 1
    state[RESULT] = 2 * state[TO_MOVE] - 1


@kernel
def apply(state, params, action):
    player, cell = state[TO_MOVE], action % (params[0] * params[0])
    state[HEADER + cell] = 1 + player
    state[HEADER + cell + (1 if player else params[0])] = 1 + player
    state[TO_MOVE] = 1 - player
    end_if_stuck(state, params)


@kernel
def observe(state, params, planes):
    size = params[0]
    for cell in range(size * size):
        row, col = cell // size, cell % size
        if state[TO_MOVE]:
            row, col = col, row
        planes[0, row, col] = state[HEADER + cell] != 0


def symmetries(size):
    """Both mirrors and the half turn of the mover's view; a domino turned upside down begins where it ended."""
    board = np.arange(size * size).reshape(size, size)
    cells, actions = [], []
    for up, left in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        turned = board[::up, ::left]
        down = np.roll(turned, -1, 0) if up < 0 else turned  # the row that wraps around is never legal
        across = np.roll(turned, -1, 1) if left < 0 else turned
        cells.append(turned.ravel())
        actions.append(np.concatenate([down.ravel(), size * size + across.ravel()]))
    return Symmetries(np.array(actions), np.array(cells))


class Transposed(Game):
    name = "transposed"
    rules = Rules(reset, legal, apply, observe)
    can_draw = False

    def __init__(self, size: int = 4):
        if not 2 <= size <= 8:
            raise GameError(f"transposed: size={size} cannot be: expected an integer from 2 to 8")
        cells = size * size
        other = np.arange(cells).reshape(size, size).T.ravel()
        super().__init__(
            settings={"size": size}, size=size, params=[size], state_words=HEADER + cells, num_actions=2 * cells,
            observation_shape=(1, size, size), max_length=cells // 2, symmetries=symmetries(size),
            views=np.stack([np.arange(2 * cells), np.concatenate([cells + other, other])]),
        )  # fmt: skip

    def draw(self, state):
        return grid_text.draw(state[HEADER:].reshape(self.size, self.size), state)
