"""Tic-tac-toe with one mistake each, to show that every check of games.promises fails when it should.

`BROKEN` lists (class, check that must fail, words that its message must hold) from broken_rules.py and broken_views.py,
which fill it when they are imported.
"""

from typing import ClassVar

from games import tictactoe as healthy
from games.core import HEADER, OVER, RESULT, TO_MOVE, kernel

RULES = healthy.TicTacToe.rules
BROKEN: list[tuple[type, str, str]] = []


class Base(healthy.TicTacToe):
    """The healthy game, ready for one mistake: `rules` replaces kernels, `changes` replaces facts."""

    changes: ClassVar[dict] = {}

    def __init__(self):
        super().__init__()
        for fact, value in self.changes.items():
            setattr(self, fact, value)


def breaks(check, words):
    """Class decorator: the game must fail `check` with `words` in the message."""

    def register(cls):
        BROKEN.append((cls, check, words))
        return cls

    return register


@kernel
def healthy_move(state, action):
    player = state[TO_MOVE]
    board = state[HEADER : HEADER + 9]
    board[action] = 1 + player
    if three(board, 1 + player):
        state[OVER] = 1
        state[RESULT] = 1 - 2 * player
    elif (board != 0).all():
        state[OVER] = 1
    state[TO_MOVE] = 1 - player


@kernel
def three(board, mark):
    for line in ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)):
        if board[line[0]] == mark and board[line[1]] == mark and board[line[2]] == mark:
            return True
    return False
