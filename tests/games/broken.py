"""Tic-tac-toe with one mistake each, to show that every check of games.promises fails when it should.

`BROKEN` lists (class, check that must fail, words that its message must hold). Three games are Hex, where the mistake
needs a board that turns or a swap.
"""

from typing import ClassVar

import numpy as np

from games import tictactoe as healthy
from games.core import HEADER, OVER, RESULT, TO_MOVE, GameError, Rules, Symmetries, kernel
from games.hex import Hex
from games.tictactoe import wins

TURNS = healthy.TicTacToe().symmetries.actions
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


# ---- declared facts and source -------------------------------------------------------------------------------------


@breaks("check_declared_facts", "params must be integers")
class FloatParams(Base):
    changes: ClassVar = {"params": np.array([0.5])}


@breaks("check_declared_facts", "title must be a word")
class SlashInTitle(Base):
    title = "tic/tac/toe"


@breaks("check_declared_facts", "observation_shape")
class FlatObservation(Base):
    changes: ClassVar = {"observation_shape": 18}


@breaks("check_declared_facts", "views must be")
class OneView(Base):
    changes: ClassVar = {"views": np.arange(9)}


@kernel
def apply_with_imported_helper(state, params, action):
    state[HEADER + action] = 1 + state[TO_MOVE]
    state[OVER] = wins(state[HEADER:], 1 + state[TO_MOVE])
    state[TO_MOVE] = 1 - state[TO_MOVE]


@breaks("check_kernels_of_one_file", "several files")
class HelperElsewhere(Base):
    rules = RULES._replace(apply=apply_with_imported_helper)


@kernel
def apply_with_helper_of_module(state, params, action):
    state[OVER] = healthy.wins(state[HEADER:], 1 + state[TO_MOVE])


@breaks("check_kernels_of_one_file", "several files")
class HelperOfModule(Base):
    rules = Rules(*[apply_with_helper_of_module] * 4)


def _closing_over(size):
    @kernel
    def reset(state, params):
        state[:size] = 0

    return reset


@breaks("check_kernels_of_one_file", "closes over")
class Closure(Base):
    rules = RULES._replace(reset=_closing_over(12))


@kernel
def legal_past_the_end(state, params, mask):
    for cell in range(10):
        mask[cell] = state[OVER] == 0 and state[HEADER + cell % 9] == 0


@breaks("check_plain_python", "legal as plain Python raises IndexError")
class IndexTooLarge(Base):
    rules = RULES._replace(legal=legal_past_the_end)


@kernel
def apply_counting_too_far(state, params, action):
    healthy_move(state, action)
    state[HEADER + 9] = state[HEADER + 9] * 3 + action


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


@breaks("check_plain_python", "a value that int8 cannot hold")
class Overflow(Base):
    rules = RULES._replace(apply=apply_counting_too_far)
    state_dtype = np.int8
    changes: ClassVar = {"state_words": HEADER + 10}


# ---- positions over time -------------------------------------------------------------------------------------------


@kernel
def reset_header_only(state, params):
    state[:HEADER] = 0


@breaks("check_reset", "unwritten")
class HalfReset(Base):
    rules = RULES._replace(reset=reset_header_only)


@breaks("check_reset", "must not depend on chance")
class FirstRowDiffers(Base):
    def reset(self, count):
        states = super().reset(count)
        states[0, HEADER] = 1
        return states


@kernel
def apply_by_lot(state, params, action):
    healthy_move(state, action)
    if np.random.random() < 0.5:  # noqa: NPY002 - the only generator that kernels have
        state[TO_MOVE] = 1 - state[TO_MOVE]


@breaks("check_same_again", "apply is not repeatable")
class ChanceInside(Base):
    rules = RULES._replace(apply=apply_by_lot)


@breaks("check_same_again", "legal gives something else inside step")
class StepDisagrees(Base):
    def step(self, states, actions, legal, planes):
        super().step(states, actions, legal, planes)
        legal[:, 0] = True


@kernel
def apply_counting_players(state, params, action):
    state[HEADER + action] = 1
    state[TO_MOVE] += 1
    state[OVER] = state[TO_MOVE] == 9


@breaks("check_header", "neither 0 nor 1")
class NextPlayerForGood(Base):
    rules = RULES._replace(apply=apply_counting_players)


@kernel
def apply_without_draw(state, params, action):
    healthy_move(state, action)
    if state[RESULT] == 0:
        state[OVER] = 0


@breaks("check_legal", "no action is legal and yet the game is not over")
class FullBoardRunsOn(Base):
    rules = RULES._replace(apply=apply_without_draw)


@kernel
def legal_after_the_end(state, params, mask):
    for cell in range(9):
        mask[cell] = state[HEADER + cell] == 0


@breaks("check_legal", "legal after the end")
class LegalAfterTheEnd(Base):
    rules = RULES._replace(legal=legal_after_the_end)


@breaks("check_length", "after max_length = 8")
class LongerThanDeclared(Base):
    changes: ClassVar = {"max_length": 8}


@breaks("check_result", "can_draw")
class UndeclaredDraw(Base):
    can_draw = False


@kernel
def apply_scoring_early(state, params, action):
    healthy_move(state, action)
    state[RESULT] = 1 - 2 * state[TO_MOVE]


@breaks("check_result", "not over")
class EarlyResult(Base):
    rules = RULES._replace(apply=apply_scoring_early)


# ---- memory --------------------------------------------------------------------------------------------------------


@kernel
def observe_third_plane(state, params, planes):
    for cell in range(9):
        planes[0, cell // 3, cell % 3] = state[HEADER + cell] == 1 + state[TO_MOVE]
        planes[1, cell // 3, cell % 3] = state[HEADER + cell] == 2 - state[TO_MOVE]
        planes[2, cell // 3, cell % 3] = 5


@breaks("check_own_rows", "neighbouring row of planes")
class WritesNextRow(Base):
    rules = RULES._replace(observe=observe_third_plane)


@kernel
def observe_by_recolouring(state, params, planes):
    if state[TO_MOVE] == 1:
        for cell in range(9):
            if state[HEADER + cell] != 0:
                state[HEADER + cell] = 3 - state[HEADER + cell]
    for cell in range(9):
        planes[0, cell // 3, cell % 3] = state[HEADER + cell] == 1
        planes[1, cell // 3, cell % 3] = state[HEADER + cell] == 2


@breaks("check_looking", "observe changes the state")
class LookingRecolours(Base):
    rules = RULES._replace(observe=observe_by_recolouring)


@kernel
def apply_writing_params(state, params, action):
    healthy_move(state, action)
    params[0] += 1


@breaks("check_looking", "change params")
class WritesParams(Base):
    rules = RULES._replace(apply=apply_writing_params)
    changes: ClassVar = {"params": np.zeros(1, np.int64)}


@kernel
def legal_never_clearing(state, params, mask):
    for cell in range(9):
        if state[OVER] == 0 and state[HEADER + cell] == 0:
            mask[cell] = True


@breaks("check_leftovers", "legal leaves entries unwritten")
class MaskNotCleared(Base):
    rules = RULES._replace(legal=legal_never_clearing)


@kernel
def observe_never_clearing(state, params, planes):
    for cell in range(9):
        if state[HEADER + cell] != 0:
            own = state[HEADER + cell] == 1 + state[TO_MOVE]
            planes[0 if own else 1, cell // 3, cell % 3] = 1


@breaks("check_leftovers", "observe leaves entries unwritten")
class PlanesNotCleared(Base):
    rules = RULES._replace(observe=observe_never_clearing)


@breaks("check_batch", "observe gives a row something else alone")
class NormalisedOverBatch(Base):
    def step(self, states, actions, legal, planes):
        super().step(states, actions, legal, planes)
        planes -= planes.mean(axis=0)


# ---- what the mover sees -------------------------------------------------------------------------------------------


@kernel
def observe_logarithm(state, params, planes):
    planes[:] = np.log((state[HEADER:] == 2).sum())


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


@breaks("check_text", "same name")
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
