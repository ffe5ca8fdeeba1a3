"""Games that are broken in what the mover sees, or in their moves and texts of one position.

Three of them are Hex, where the mistake needs a board that turns or a swap.
"""

from typing import ClassVar

import numpy as np
from broken import RULES, Base, breaks, healthy_move

from games import tictactoe
from games.core import HEADER, OVER, TO_MOVE, GameError, Symmetries, kernel
from games.hex import Hex

TURNS = tictactoe.TicTacToe().symmetries.actions


# ---- what the mover sees -------------------------------------------------------------------------------------------


@kernel
def observe_logarithm(state, params, planes):
    stones = (state[HEADER:] == 2).sum()
    planes[:] = np.log(stones) if stones else -np.inf  # what numpy says too, with a warning


@breaks("check_observation", "nan or infinity")
class LogarithmOfNone(Base):
    rules = RULES._replace(observe=observe_logarithm)


@breaks("check_observation", "float64")
class DoublePlanes(Base):
    def observe(self, states):
        return super().observe(states).astype(np.float64)


@kernel
def apply_keeping_row(state, params, action):
    healthy_move(state, action)
    state[HEADER + 9] = 1 + action // 3


@kernel
def legal_not_in_that_row(state, params, mask):
    for cell in range(9):
        mask[cell] = state[OVER] == 0 and state[HEADER + cell] == 0 and state[HEADER + 9] != 1 + cell // 3


@breaks("check_observation_tells_legal", "allow different actions")
class HiddenRule(Base):
    rules = RULES._replace(apply=apply_keeping_row, legal=legal_not_in_that_row)
    changes: ClassVar = {"state_words": HEADER + 10}


@breaks("check_views", "once per player")
class ViewRepeats(Base):
    changes: ClassVar = {"views": np.zeros((2, 9), np.int64)}


@kernel
def observe_absolute(state, params, planes):
    for cell in range(9):
        planes[0, cell // 3, cell % 3] = state[HEADER + cell] == 1
        planes[1, cell // 3, cell % 3] = state[HEADER + cell] == 2


@breaks("check_views", "forgets the mover's frame")
class NotTheMoversFrame(Base):
    rules = RULES._replace(observe=observe_absolute)


@breaks("check_views", "forgets the mover's frame")
class ViewsTurnedAlone(Base):
    changes: ClassVar = {"views": np.stack([np.arange(9), np.arange(9).reshape(3, 3).T.ravel()])}


@breaks("check_views", "forgets the mover's frame")
class HexWithoutTurnedViews(Hex):
    def __init__(self):
        super().__init__(4)
        self.views = np.stack([np.arange(16)] * 2)


@breaks("check_observation_tells_legal", "a swap")
class HexHidingSwap(Hex):
    given: ClassVar = {"size": 3, "swap": True}

    def observe(self, states):
        planes = super().observe(states)
        planes[:, 2] = 0
        return planes


@breaks("check_symmetries", "symmetry 1")
class HexFlipped(Hex):
    """Hex is the same game flipped in the long diagonal only with the players changed."""

    def __init__(self):
        super().__init__(4)
        self.symmetries = Symmetries(self.views, self.views)


@breaks("check_symmetries", "is missing")
class NotClosed(Base):
    changes: ClassVar = {"symmetries": Symmetries(TURNS[:2], TURNS[:2])}


@breaks("check_symmetries", "identity")
class IdentityNotFirst(Base):
    changes: ClassVar = {"symmetries": Symmetries(TURNS[::-1], TURNS[::-1])}


@breaks("check_symmetries", "no permutation")
class NoPermutation(Base):
    changes: ClassVar = {"symmetries": Symmetries(np.stack([np.arange(9), np.zeros(9, int)]), TURNS[:2])}


@breaks("check_symmetries", "does not map this position")
class TurnsApart(Base):
    """Actions turn one way, cells the other."""

    changes: ClassVar = {"symmetries": Symmetries(TURNS[:4], TURNS[[0, 3, 2, 1]])}


ROWS_ROUND = np.array([np.roll(np.arange(9), 3 * k) for k in range(3)])


@breaks("check_symmetries", "ends differently")
class NoSymmetryOfTheRules(Base):
    """Moving rows round keeps rows and columns, and breaks diagonals."""

    changes: ClassVar = {"symmetries": Symmetries(ROWS_ROUND, ROWS_ROUND)}


# ---- one position, checked -----------------------------------------------------------------------------------------


@breaks("check_play", "accepts the illegal action")
class TrustingPlay(Base):
    def play(self, state, *actions):
        states = state[None].copy()
        for action in actions:
            self.advance(states, np.array([action % 9]))
        return states[0]


@breaks("check_play", "work on a copy")
class PlayInPlace(Base):
    def play(self, state, *actions):
        state[:] = super().play(state, *actions)
        return state


@breaks("check_text", "another position")
class ForgetsTheMover(Base):
    def parse(self, text):
        state = super().parse(text)
        state[TO_MOVE] = 0
        return state


@breaks("check_text", "refuses what draw wrote")
class OtherLetters(Base):
    def draw(self, state):
        return super().draw(state).upper()


@breaks("check_text", "not GameError")
class LeaksValueError(Base):
    def parse(self, text):
        try:
            return super().parse(text)
        except GameError as error:
            raise ValueError("bad") from error


@breaks("check_text", "same name: 0 and 1 are")
class SameNames(Base):
    def action_text(self, action):
        return "move"


@breaks("check_settings", "must hold every setting")
class SettingNotKept(Base):
    given: ClassVar = {"longest": 10}

    def __init__(self, longest=9):
        super().__init__()
        self.max_length = longest


@breaks("check_settings", "cannot be made again")
class SettingNotTaken(Base):
    changes: ClassVar = {"settings": {"board": 3}}
