"""Alpha-beta search to the end of the game, with a table of what is proven.

One question is asked at a time: can the player to move get at least `threshold`, 0 or 1? That is alpha-beta with a
window between two values. Where turns alternate, he can if after one of his moves the other cannot get at least
1 - threshold. A position's moves are all played and looked up before the first of them is searched, since one that ends
the game or is known often settles the question at once. The rest are tried in the order of how often they have settled
one before (history heuristic, J. Schaeffer, ICCA Journal 6-3, 1983), as J. Tromp's Fhourstones counts it.

The stack is an array and the search stops after a number of positions, to be continued by the next call: so there is
no recursion, Ctrl-C is heard, and progress can be shown.

Axes: D open positions, one below the other; A actions; S words of a position; N positions asked about.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from games.core import OVER, RESULT, TO_MOVE, Game, lean_kernel
from games.forms import Form, searching

NO, YES, OPEN = 0, 1, 2

# Words of a position's row in `frames`. A child's `AGAIN` tells that the same player moves as one ply above.
COUNT, NEXT, THRESHOLD, PLAYER, AGAIN, BEGUN, ACTION = 0, 1, 2, 3, 4, 5, 6
FRAME_WORDS = 7

# Words of `tally`: positions looked at, the row asked about, the height of the stack, whether games can be drawn.
LOOKED, ROW, HEIGHT, DRAWS = 0, 1, 2, 3

WAYS = 4  # neighbouring places of the table where a key may lie


class Work(NamedTuple):
    """The memory of a search."""

    children: np.ndarray  # [D, A, S]: the positions one move ahead
    keys: np.ndarray  # uint64 [D, A], of the children
    actions: np.ndarray  # int64 [D, A], that lead to them
    order: np.ndarray  # int64 [D, A]: the children's numbers, the most promising first
    frames: np.ndarray  # int64 [D, FRAME_WORDS]
    own_keys: np.ndarray  # uint64 [D]
    planes: np.ndarray  # float32 [P, H, W]
    mask: np.ndarray  # bool [A]
    history: np.ndarray  # int64 [2, A]: how much each player's action has settled
    table: np.ndarray  # uint64 [slots, 2]: key, entry
    tally: np.ndarray  # int64 [4]


def make_work(form: Form, game: Game, slots: int) -> Work:
    """Memory for a search of `game`; `slots`, a power of two, is the size of the table in 16 bytes."""
    first = game.reset(1)
    height, actions, positions = game.max_length + 1, game.num_actions, form.pack(first)
    # The rules are compiled here: within the search, which counts no references, they might not allocate memory.
    game.observe(first)
    game.advance(first, np.flatnonzero(game.legal(first)[0])[:1])
    work = Work(
        np.zeros((height, actions, positions.shape[1]), positions.dtype), np.zeros((height, actions), np.uint64),
        np.zeros((height, actions), np.int64), np.zeros((height, actions), np.int64),
        np.zeros((height, FRAME_WORDS), np.int64), np.zeros(height, np.uint64),
        np.zeros(game.observation_shape, np.float32), np.zeros(actions, np.bool_), np.stack([form.priority] * 2),
        empty_table(slots), np.zeros(4, np.int64),
    )  # fmt: skip
    work.tally[DRAWS] = game.can_draw
    return work


# ---- the table -----------------------------------------------------------------------------------------------------

# An entry: in its lowest four bits what is known, above them how many positions that took. Bits 0 and 1 answer "at
# least 0?", bits 2 and 3 "at least 1?": the lower one of each pair NO, the upper one YES. A place is free while its
# entry is 0. Of the WAYS places of a key, the one that took least work is given away.


def empty_table(slots: int) -> np.ndarray:
    """Whose WAYS places of a key are one line of the cache."""
    memory = np.zeros((slots + WAYS, 2), np.uint64)
    skipped = -memory.ctypes.data % (16 * WAYS) // 16
    return memory[skipped : skipped + slots]


@lean_kernel
def first_place(table, key):
    """Where the WAYS places of a key begin."""
    return np.int64(key & np.uint64(len(table) - 1)) & ~(WAYS - 1)


@lean_kernel
def recall(table, key, threshold):
    """YES, NO, or OPEN if the answer is not in the table."""
    first = first_place(table, key)
    for i in range(first, first + WAYS):
        if table[i, 0] == key:
            known = np.int64(table[i, 1] >> np.uint64(2 * threshold)) & 3
            return OPEN if known == 0 else known - 1
    return OPEN


@lean_kernel
def remember(work, key, threshold, answer, took):
    """Keep an answer and what follows: at least 1 is at least 0, less than 0 is less than 1, and without draws both."""
    table = work.table
    known = np.uint64(1 + answer) << np.uint64(2 * threshold)
    if work.tally[DRAWS] == 0 or (threshold == 1) == (answer == YES):
        known |= np.uint64(1 + answer) << np.uint64(2 - 2 * threshold)
    first = first_place(table, key)
    chosen = first
    for i in range(first, first + WAYS):
        if table[i, 0] == key:
            took += np.int64(table[i, 1] >> np.uint64(4))
            known |= table[i, 1] & np.uint64(15)
            chosen = i
            break
        if table[i, 1] < table[chosen, 1]:
            chosen = i
    table[chosen, 0] = key
    table[chosen, 1] = np.uint64(took) << np.uint64(4) | known


@lean_kernel
def next_child(work, depth):
    """The next child to be searched, its key, the question to ask there, and whether the same player moves again."""
    frame = work.frames[depth]
    number = work.order[depth, frame[NEXT]]
    frame[NEXT] += 1
    frame[ACTION] = work.actions[depth, number]
    child = work.children[depth, number]
    again = child[TO_MOVE] == frame[PLAYER]
    threshold = frame[THRESHOLD] if again else 1 - frame[THRESHOLD]
    return child, work.keys[depth, number], threshold, again


@lean_kernel
def pass_up(work, depth, answer, again):
    """What a child's answer settles about its parent at `depth`: YES, or OPEN where the next child is to be tried.

    An action that settles a question gains a point for each one tried before it, and those lose one.
    """
    if (answer == YES) != again:
        return OPEN
    frame = work.frames[depth]
    history, tried = work.history[frame[PLAYER]], frame[NEXT] - 1
    for i in range(tried):
        history[work.actions[depth, work.order[depth, i]]] -= 1
    history[frame[ACTION]] += tried
    return YES


@lean_kernel
def look_up(work, depth, player, count, threshold):
    """Look `count` children up. Of those that do not settle the question the most promising come first."""
    order, history = work.order[depth], work.history[player]
    left = 0
    for number in range(count):
        again = work.children[depth, number, TO_MOVE] == player
        known = recall(work.table, work.keys[depth, number], threshold if again else 1 - threshold)
        answer = known if known == OPEN or again else 1 - known
        if answer == YES:
            return YES
        if answer == OPEN:
            place, action = left, work.actions[depth, number]
            while place > 0 and history[work.actions[depth, order[place - 1]]] < history[action]:
                order[place] = order[place - 1]
                place -= 1
            order[place] = number
            left += 1
    work.frames[depth, COUNT] = left
    return OPEN if left > 0 else NO


@lean_kernel
def load_rows(table, rows):
    """Put stored rows [N, 2] where they belong; of those that find no room, the ones that took least work are lost."""
    for row in range(len(rows)):
        first = first_place(table, rows[row, 0])
        chosen = first
        for i in range(first, first + WAYS):
            if table[i, 1] < table[chosen, 1]:
                chosen = i
        if table[chosen, 1] < rows[row, 1]:
            table[chosen, 0], table[chosen, 1] = rows[row, 0], rows[row, 1]


# ---- the search ----------------------------------------------------------------------------------------------------


@functools.cache
def search_of(legal, apply, key_of, narrow):
    """The search of a form, compiled once per process.

    run(work, params, words, positions [N, S], thresholds [N], answers [N], budget) goes on with the question of row
    work.tally[ROW] and the ones after it, until all are answered or `budget` more positions were looked at.
    """
    visit = visit_of(legal, narrow, look_ahead_of(apply, key_of))

    @searching
    def run(work, params, words, positions, thresholds, answers, budget):
        tally, frames = work.tally, work.frames
        stop = tally[LOOKED] + budget
        while tally[ROW] < len(positions) and tally[LOOKED] < stop:
            row, depth = tally[ROW], tally[HEIGHT] - 1  # depth: of the position on top of the stack
            settled = NO
            if depth < 0 or frames[depth, NEXT] < frames[depth, COUNT]:
                if depth < 0:
                    child, threshold, again = positions[row], thresholds[row], False
                    key = key_of(child, params, words, work.planes)
                else:
                    child, key, threshold, again = next_child(work, depth)
                settled = visit(work, params, words, depth + 1, child, key, threshold)
                if settled == OPEN:
                    tally[HEIGHT] += 1
                    frames[depth + 1, AGAIN] = again
                elif depth >= 0:
                    settled = pass_up(work, depth, settled, again)
            while settled != OPEN and depth >= 0:
                took = tally[LOOKED] - frames[depth, BEGUN] + 1
                remember(work, work.own_keys[depth], frames[depth, THRESHOLD], settled, took)
                depth -= 1
                tally[HEIGHT] -= 1
                if depth >= 0:
                    settled = pass_up(work, depth, settled, frames[depth + 1, AGAIN] != 0)
            if settled != OPEN:
                answers[row] = settled
                tally[ROW] += 1

    return run


def visit_of(legal, narrow, look_ahead):
    """The search's visit to a position, made of the rules' legal moves and of what a form knows without looking."""

    @searching
    def visit(work, params, words, depth, state, key, threshold):
        """Answer from the table or from the moves one ply ahead; OPEN if the children must be searched."""
        known = recall(work.table, key, threshold)
        if known != OPEN:
            return known
        work.tally[LOOKED] += 1
        mask = work.mask
        legal(state, params, mask)
        low, high = narrow(state, params, mask)
        if low >= threshold or high < threshold:
            answer = YES if low >= threshold else NO
        else:
            answer = look_ahead(work, params, words, depth, state, threshold)
        if answer != OPEN:
            remember(work, key, threshold, answer, 1)
            return answer
        work.own_keys[depth] = key
        frame = work.frames[depth]
        frame[NEXT], frame[THRESHOLD], frame[PLAYER], frame[BEGUN] = 0, threshold, state[TO_MOVE], work.tally[LOOKED]
        return OPEN

    return visit


def look_ahead_of(apply, key_of):
    """The search's look at the positions one move ahead, made of the rules' moves and of a form's keys."""

    @searching
    def look_ahead(work, params, words, depth, state, threshold):
        """Play all moves and look them up, which is quicker than one by one: the memory of all is asked for at once."""
        player, count = state[TO_MOVE], 0
        for action in range(len(work.mask)):
            if not work.mask[action]:
                continue
            child = work.children[depth, count]
            for i in range(len(state)):
                child[i] = state[i]
            apply(child, params, action)
            if child[OVER] == 0:
                work.keys[depth, count] = key_of(child, params, words, work.planes)
                work.actions[depth, count] = action
                count += 1
            elif child[RESULT] * (1 - 2 * player) >= threshold:
                return YES
        return look_up(work, depth, player, count, threshold)

    return look_ahead
