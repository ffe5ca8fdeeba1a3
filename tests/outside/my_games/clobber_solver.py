"""Exact play of Clobber: depth first, positions remembered without the stones that can neither take nor be taken.

A group of stones of one colour that touches none of the other has no part in the rest of the game, so positions that
differ in such groups only are one.
"""

import numpy as np

from games.core import HEADER, OVER, TO_MOVE, GameError, kernel
from games.exact import ILLEGAL, Exact, final_values
from my_games.clobber import EMPTY

LARGEST = 4  # 5 x 5 would take days


def solver(game):
    if game.size > LARGEST:
        raise GameError(f"{game.title} is too large to be solved: choose a size up to {LARGEST}")
    return ClobberSolver(game)


class ClobberSolver(Exact):
    def __init__(self, game):
        self.game = game
        self.known: dict[bytes, int] = {}

    @property
    def searched(self):
        return len(self.known)

    def values(self, states):
        return np.array([self._value(state) for state in states], np.int8)

    def action_values(self, states):
        values = np.full((len(states), self.game.num_actions), ILLEGAL, np.int8)
        rows, actions, children = self._children(states)
        values[rows, actions] = -self.values(children)
        return values

    def perfect_moves(self, states):
        values = self.action_values(states)
        rows, actions, children = self._children(states)
        replies = np.full(values.shape, self.game.num_actions + 1)  # winning ones that the opponent is left
        replies[rows, actions] = (self.action_values(children) == 1).sum(1)
        best = (values == values.max(1, keepdims=True)) & (values != ILLEGAL)
        fewest = np.where(best, replies, self.game.num_actions + 2).min(1, keepdims=True)
        lost = values.max(1, keepdims=True) == -1
        return best & (~lost | (replies == fewest))

    def _children(self, states):
        rows, actions = np.nonzero(self.game.legal(states))
        children = states[rows]
        self.game.advance(children, actions)
        return rows, actions, children

    def _value(self, state):
        """+1 or -1 for the player to move."""
        if state[OVER]:
            return int(final_values(state[None])[0])
        key = np.append(in_play(state[HEADER:], self.game.size), state[TO_MOVE]).tobytes()
        if key not in self.known:
            _, _, children = self._children(state[None])
            self.known[key] = 1 if any(self._value(child) == -1 for child in children) else -1
        return self.known[key]


@kernel
def in_play(board, size):
    """The board without the groups of one colour that touch none of the other."""
    alive = np.zeros(size * size, np.bool_)
    changed = True
    while changed:
        changed = False
        for cell in range(size * size):
            for other in range(size * size):
                apart = abs(cell // size - other // size) + abs(cell % size - other % size)
                if apart != 1 or alive[cell] or board[cell] == EMPTY or board[other] == EMPTY:
                    continue
                if board[other] != board[cell] or alive[other]:
                    alive[cell] = changed = True
    return np.where(alive, board, EMPTY).astype(np.int8)
