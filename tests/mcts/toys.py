"""Games made for the tests of search: one whose values can be planted, one in which a player may move twice."""

import numpy as np

from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, Rules, kernel

DEPTH, CODE = HEADER, HEADER + 1


@kernel
def bits_reset(state, params):
    state[:] = 0


@kernel
def bits_legal(state, params, mask):
    mask[:] = state[OVER] == 0


@kernel
def bits_apply(state, params, action):
    state[DEPTH] += 1
    state[CODE] = 2 * state[CODE] + action
    state[TO_MOVE] = 1 - state[TO_MOVE]
    if state[DEPTH] == params[0]:
        state[OVER] = 1
        state[RESULT] = 2 * (state[CODE] % 2) - 1  # the last bit decides


@kernel
def bits_observe(state, params, planes):
    planes[0, 0, 0] = state[DEPTH]
    planes[0, 0, 1] = state[CODE]


class Bits(Game):
    """Two players append a bit in turn, `length` in all; player 0 wants the last one to be 1."""

    name = "bits"
    rules = Rules(bits_reset, bits_legal, bits_apply, bits_observe)

    def __init__(self, length=8):
        super().__init__(settings={"length": length}, size=length, params=[length], state_words=HEADER + 2,
                         num_actions=2, observation_shape=(1, 1, 2), max_length=length)  # fmt: skip

    def draw(self, state):
        return format(int(state[CODE]), f"0{int(state[DEPTH])}b") if state[DEPTH] else ""


def planted(values):
    """Equal priors, and the values of `values` by the bits so far, 0 elsewhere, for the player to move."""

    def evaluate(planes):
        keys = [format(int(code), f"0{int(depth)}b") if depth else "" for depth, code in planes[:, 0, 0]]
        return np.zeros((len(planes), 2), np.float32), np.array([values.get(key, 0) for key in keys], np.float32)

    return evaluate


@kernel
def jumble(code, depth):
    """A number that looks random."""
    number = np.int64(code) * 7919 + np.int64(depth) * 104729 + 12345
    return (number ^ (number >> 7)) % 1009


@kernel
def turns_reset(state, params):
    state[:] = 0


@kernel
def turns_legal(state, params, mask):
    number = jumble(state[CODE], state[DEPTH])
    for action in range(3):
        mask[action] = state[OVER] == 0 and (action == number % 3 or (number >> action) & 1 == 1)


@kernel
def turns_apply(state, params, action):
    state[DEPTH] += 1
    state[CODE] = 3 * state[CODE] + action
    number = jumble(state[CODE], state[DEPTH])
    state[TO_MOVE] = (number >> 4) & 1
    if state[DEPTH] == params[0] or (state[DEPTH] > 2 and number % 11 == 0):
        state[OVER] = 1
        state[RESULT] = number % 3 - 1


@kernel
def turns_observe(state, params, planes):
    planes[0, 0, 0] = state[DEPTH]
    planes[0, 0, 1] = state[CODE]


class Turns(Game):
    """Who moves, what is legal and who wins look random: either player may move several times running, draws happen.

    Player 1 sees the three actions in the opposite order.
    """

    name = "turns"
    rules = Rules(turns_reset, turns_legal, turns_apply, turns_observe)
    can_draw = True

    def __init__(self, length=6):
        super().__init__(settings={"length": length}, size=length, params=[length], state_words=HEADER + 2,
                         num_actions=3, observation_shape=(1, 1, 2), max_length=length,
                         views=np.array([[0, 1, 2], [2, 1, 0]]))  # fmt: skip

    def draw(self, state):
        return f"depth {state[DEPTH]}, code {state[CODE]}"
