"""Clobber: a stone takes a neighbouring stone of the other colour and stands in its place; who cannot move loses.

       a b c
     1 x o x       Player 0 (x) begins; here c3 may take c2 or b3. A stone takes up, right, down or left.
     2 o x o
     3 x o x
    x to move

Rules     every move takes one stone. If one player can move then so can the other, so whoever moved last has won
Actions   4 * size * size: 4 * (row * size + col) + direction, which is up, right, down or left, as in OpenSpiel
Planes    2: own stones, the opponent's
Symmetry  those of the square that keep the colours of the start: all eight where `size` is odd, else four
Longest   size * size - 1 moves, since one stone stays
Source    M. Albert, J. P. Grossman, R. Nowakowski, D. Wolfe, An introduction to Clobber, Integers 5(2), 2005
"""

import numpy as np

from games import grid_text
from games.core import HEADER, OVER, RESULT, TO_MOVE, ActionLayout, Game, Rules, Symmetries, int_setting, kernel

EMPTY, STONE = 0, 1  # a cell holds EMPTY or STONE + player


@kernel
def reset(state, params):
    size = params[0]
    state[:] = 0
    for cell in range(size * size):
        row, col = cell // size, cell % size
        state[HEADER + cell] = STONE + (size - 1 - row + col) % 2


@kernel
def target(cell, direction, size):
    """The next cell up, right, down or left; -1 beyond the edge."""
    row, col = cell // size, cell % size
    if direction == 0:
        return cell - size if row > 0 else -1
    if direction == 1:
        return cell + 1 if col < size - 1 else -1
    if direction == 2:
        return cell + size if row < size - 1 else -1
    return cell - 1 if col > 0 else -1


@kernel
def takes(state, params, action):
    """Whether this action moves a stone of the player to move onto one of the other player."""
    cell, player = action // 4, state[TO_MOVE]
    there = target(cell, action % 4, params[0])
    return there >= 0 and state[HEADER + cell] == STONE + player and state[HEADER + there] == STONE + 1 - player


@kernel
def legal(state, params, mask):
    for action in range(4 * params[0] * params[0]):
        mask[action] = state[OVER] == 0 and takes(state, params, action)


@kernel
def end_if_stuck(state, params):
    for action in range(4 * params[0] * params[0]):
        if takes(state, params, action):
            return
    state[OVER] = 1
    state[RESULT] = 2 * state[TO_MOVE] - 1


@kernel
def apply(state, params, action):
    player, cell = state[TO_MOVE], action // 4
    state[HEADER + target(cell, action % 4, params[0])] = STONE + player
    state[HEADER + cell] = EMPTY
    state[TO_MOVE] = 1 - player
    end_if_stuck(state, params)


@kernel
def observe(state, params, planes):
    size, player = params[0], state[TO_MOVE]
    for cell in range(size * size):
        stone = state[HEADER + cell]
        planes[0, cell // size, cell % size] = stone == STONE + player
        planes[1, cell // size, cell % size] = stone == STONE + 1 - player


class Clobber(Game):
    """Clobber on size x size."""

    name = "clobber"
    rules = Rules(reset, legal, apply, observe)
    can_draw = False

    def __init__(self, size: int = 5):
        size = int_setting("clobber", "size", size, 2, 9)
        cells = size * size
        actions = np.arange(4 * cells)
        super().__init__(
            settings={"size": size}, size=size, params=[size], state_words=HEADER + cells, num_actions=4 * cells,
            observation_shape=(2, size, size), max_length=cells - 1, symmetries=symmetries(size),
            layout=ActionLayout(4, 0, 0, actions % 4 * cells + actions // 4),
        )  # fmt: skip

    @property
    def openspiel_id(self):
        return f"clobber(rows={self.size},columns={self.size})"

    def draw(self, state):
        return grid_text.draw(state[HEADER:].reshape(self.size, self.size), state)

    def parse(self, text):
        stones, last_line = grid_text.read(self.title, text, self.size, self.size)
        start = self.reset(1)[0]
        moves = int((stones == EMPTY).sum())
        for player, taken in enumerate((moves // 2, (moves + 1) // 2)):
            left = int((start[HEADER:] == STONE + player).sum()) - taken
            if (stones == STONE + player).sum() != left:
                grid_text.refuse(self.title, text, f"{moves} empty cells are {moves} moves, which leave {left} stones "
                                 f"of {'xo'[player]}")  # fmt: skip
        state = start.copy()
        state[HEADER:] = stones.ravel()
        state[TO_MOVE] = moves % 2
        end_if_stuck(state, self.params)
        grid_text.check_status(self.title, text, last_line, state)
        return state

    def action_text(self, action):
        return grid_text.cell_text(action // 4, self.size) + "urdl"[action % 4]


AROUND = [1, 5, 7, 3]  # up, right, down, left: cells of a board of 3 x 3 whose middle is where the stone stands


def turns(size):
    """The eight ways to turn and mirror a square board, int64 [8, size * size], identity first."""
    board = np.arange(size * size).reshape(size, size)
    return np.array([np.rot90(side, k).ravel() for side in (board, board.T) for k in range(4)])


def symmetries(size):
    colours = np.indices((size, size)).sum(0).ravel() % 2
    kept = (colours[turns(size)] == colours).all(1)
    cells = turns(size)[kept]
    directions = np.array([[AROUND.index(turn[place]) for place in AROUND] for turn in turns(3)[kept]])
    actions = 4 * cells[:, :, None] + directions[:, None, :]
    return Symmetries(actions.reshape(len(cells), -1), cells)
