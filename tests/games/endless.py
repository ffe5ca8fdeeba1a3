"""Tic-tac-toe whose rules do not end, in plain Python too or compiled only.

As a program: the check of such a game, or rules that do not end while they are watched or trained on.
"""

import sys

import numpy as np
from broken import RULES, Base

from games import stopping, watching
from games.conformance import main
from games.core import HEADER, kernel
from training import interrupt


@kernel
def filled(board):
    """A flood fill that does not mark what it has seen."""
    found = 0
    while found < 10:
        found = 0
        for cell in range(9):
            found += board[cell] >= 0
    return found


@kernel
def legal(state, params, mask):
    for action in range(9):
        mask[action] = state[2 + action] == 0 and filled(state[HEADER:]) == 9


class Endless(Base):
    rules = RULES._replace(legal=legal)


@kernel
def observe(state, params, planes):
    """Counts to a number that no int16 is, and so ends in plain Python alone, whose words are wider."""
    planes[:] = 0
    before = state[HEADER]
    while state[HEADER] != 40000:
        state[HEADER] += 1
    state[HEADER] = before


class EndlessCompiled(Base):
    rules = RULES._replace(observe=observe)


@kernel
def reset(state, params):
    state[:] = 0
    while params[0] == 1:
        state[HEADER] += 1


class EndlessWhenAsked(Base):
    """Compiled while it still ends."""

    rules = RULES._replace(reset=reset)


def run_endless():
    game = EndlessWhenAsked()
    game.params = np.zeros(1, np.int64)
    game.reset(1)
    print("ready", flush=True)
    game.params[0] = 1
    game.reset(1)


if __name__ == "__main__":
    if sys.argv[1] == "watched":
        with stopping.as_ctrl_c(), watching.watched("a game"):
            run_endless()
    if sys.argv[1] == "played":
        stopping.GRACE_SECONDS = 1.0
        with stopping.as_ctrl_c():
            run_endless()
    if sys.argv[1] == "trained":
        stopping.GRACE_SECONDS = 1.0
        interrupt.listen()
        run_endless()
    watching.PATIENCE_SECONDS = 0.5
    sys.exit(main([f"endless:{sys.argv[1]}"]))
