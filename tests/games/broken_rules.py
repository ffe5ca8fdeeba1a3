"""Games that are broken in their declared facts, their source, their positions over time, or what they do to memory."""

from typing import ClassVar

import numpy as np
from broken import RULES, Base, breaks, healthy_move

from games import tictactoe as healthy
from games.core import HEADER, OVER, RESULT, TO_MOVE, ActionLayout, Rules, kernel
from games.tictactoe import wins

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


@breaks("check_declared_facts", "layout.entries must give each of the 9 actions a place of its own")
class TwoActionsInOnePlace(Base):
    changes: ClassVar = {"layout": ActionLayout(1, 0, 0, np.arange(9) // 2)}


@breaks("check_declared_facts", "layout.entries")
class LayoutBeyondTheBoard(Base):
    changes: ClassVar = {"layout": ActionLayout(1, 0, 0, np.arange(9) + 1)}


@breaks("check_declared_facts", "layout.entries")
class LayoutOfOtherLength(Base):
    changes: ClassVar = {"layout": ActionLayout(1, 0, 1, np.arange(10))}


class NotDecorated(Base):
    rules = RULES._replace(apply=RULES.apply.py_func)


@kernel
def apply_with_id(state, params, action):
    healthy_move(state, action)
    state[HEADER] += 0 * id(action)


class NotCompilable(Base):
    rules = RULES._replace(apply=apply_with_id)


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
def legal_less_a_truth(state, params, mask):
    for cell in range(9):
        stone = state[HEADER + cell]
        mask[cell] = state[OVER] == 0 and (stone == 0) - (stone == 1) > 0


@breaks("check_plain_python", "A kernel must run uncompiled too")
class OnlyCompiled(Base):
    """Compiled, truths are numbers; numpy takes none from another."""

    rules = RULES._replace(legal=legal_less_a_truth)


@kernel
def apply_counting_too_far(state, params, action):
    healthy_move(state, action)
    state[HEADER + 9] = state[HEADER + 9] * 3 + action


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


@kernel
def reset_to_the_end(state, params):
    state[:] = 0
    state[OVER] = 1


@breaks("check_reset", "the initial position is over")
class OverAtFirst(Base):
    rules = RULES._replace(reset=reset_to_the_end)


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
