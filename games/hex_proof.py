"""Proofs of Hex positions: who wins, with which carrier.

The winner's *carrier* is a set of empty cells such that he wins even if the loser gets every empty cell outside it.
It makes the search short (must-play: van Rijswijck, "Search and evaluation in Hex", 2002; Hayward et al., "Solving
7x7 Hex with domination, fill-in, and virtual connections", 2005): when my move m leaves the opponent a win with
carrier C, every other move outside C loses to the same play, so what is left to try is cut down to C.

The search is depth first, but no move of a position gets more than a share of the positions to be looked at: if that
does not settle it the next one is tried, and when all have had their share they get four times as much, those first to
which the opponent has fewest replies left. What was proven meanwhile is in the table. So a move that is hard to settle
does not keep the search from one that is easy.

The search keeps its own stack: cached kernels that call themselves can crash when loaded again (numba issue 6061).
It stops after a number of positions, and goes on from there when the same is asked again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from games.core import kernel
from games.hex_bits import (
    NO_CHAIN,
    NOTHING,
    U,
    above_bottom,
    bridged,
    chain,
    key_cells,
    lowest,
    near,
    popcount,
    transpose,
    under_top,
)
from games.hex_fill import OPP, OPP_GAIN, OWN, OWN_GAIN, fill_in, vulnerable
from games.hex_table import CELLS, KNOWN, WON, make_table, recall, remember, with_effort

# Words of a frame of the search's stack, after those of games.hex_fill: the moves still worth trying, and those of them
# not yet tried in this round; the union of the opponent's carriers so far; the move being tried; the opponent's reply
# that refuted the last one, to be tried first; how many positions had been looked at before; at how many looked at the
# position is given up; how many each move gets in this round.
MUST, LEFT, UNION, MOVE, HINT, BEGUN, LIMIT, SHARE = range(4, 12)
FRAME_WORDS = 12

NEVER = U(1 << 62)
FIRST_SHARE, SMALLEST_SHARE = U(1 << 20), U(1 << 10)  # of the position asked about, of any
GAVE_UP = U(1)  # in place of an entry: the position's LIMIT was reached

# Words of `tally`: positions looked at, positions that had to be searched, at how many looked at the search stops, the
# height of the stack of one that was stopped.
LOOKED, SEARCHED, STOP, HEIGHT = range(4)


class Work(NamedTuple):
    """What a search reads and writes; one thread at a time."""

    proofs: np.ndarray  # hash table: position -> winner and carrier
    answers: np.ndarray  # hash table: position -> winner and moves
    frames: np.ndarray  # uint64 [depth, FRAME_WORDS]; the last is for positions asked about while a search waits
    moves: np.ndarray  # uint64 [depth, 64], best first
    replies: np.ndarray  # int64 [depth, 64]: how many the opponent had left when the move to a cell was given up
    levels: np.ndarray  # uint64 [3, 64]
    scores: np.ndarray  # int64 [2, 64]
    rings: np.ndarray  # uint64 [2, 6]
    openings: np.ndarray  # uint64 [1]: the stubborn first moves under the swap rule, 0 while unknown
    asked: np.ndarray  # uint64 [2]: the position whose proof is on the stack
    tally: np.ndarray  # int64 [4]


def make_work(proof_slots: int, answer_slots: int) -> Work:
    """Empty tables that may grow to so many slots (powers of two, 24 bytes each); a search that does not stop."""
    return Work(
        make_table(proof_slots), make_table(answer_slots), np.zeros((64, FRAME_WORDS), U), np.zeros((64, 64), U),
        np.zeros((64, 64), np.int64), np.zeros((3, 64), U), np.zeros((2, 64), np.int64), np.zeros((2, 6), U),
        np.zeros(1, U), np.zeros(2, U), np.array([0, 0, np.iinfo(np.int64).max, 0]),
    )  # fmt: skip


# ---- order of moves ------------------------------------------------------------------------------------------------


@kernel
def distances(edge, own, empty, out):
    """out[k]: empty cells that k + 1 stones, the last on the cell, tie to the edge; returns how many k there are."""
    front, stones, seen = edge, edge & own, NOTHING
    for count in range(64):
        grown = NOTHING
        while grown != stones:
            grown = stones
            stones |= (near(stones) | bridged(stones, empty)) & own
        out[count] = (front | near(stones) | bridged(stones, empty)) & empty & ~seen
        if not out[count]:
            return count
        seen |= out[count]
        front = near(out[count]) | bridged(out[count], empty)
        stones |= front & own
    return 64


@kernel
def add_distances(board, own, empty, flip, levels, scores):
    """Add to the score of each cell how many stones tie it to both edges; 40 where none do."""
    tops = distances(board.top | under_top(board, empty), own, empty, levels[1])
    bottoms = distances(board.bottom | above_bottom(board, empty), own, empty, levels[2])
    rest = empty
    for i in range(tops):
        for j in range(bottoms):
            x = levels[1, i] & levels[2, j]
            rest &= ~x
            add_score(x, i + j, flip, scores)
    add_score(rest, 40, flip, scores)


@kernel
def add_score(x, amount, flip, scores):
    if flip:
        x = transpose(x)
    while x:
        scores[popcount(lowest(x) - U(1))] += amount
        x &= x - U(1)


@kernel
def order(board, own, opp_t, empty, must, levels, scores, moves):
    """Write the moves of `must` to `moves`, most promising first: short ways for both players, then central cells."""
    scores[0] = 0
    add_distances(board, own, empty, False, levels, scores[0])
    add_distances(board, opp_t, transpose(empty), True, levels, scores[0])
    count = 0
    middle = board.size - 1
    while must:
        move = lowest(must)
        must ^= move
        bit = popcount(move - U(1))
        row, col = 2 * (bit >> 3) - middle, 2 * (bit & 7) - middle
        score = 64 * scores[0, bit] + abs(row) + abs(col) + abs(row + col)
        i = count
        while i > 0 and scores[1, i - 1] > score:
            scores[1, i] = scores[1, i - 1]
            moves[i] = moves[i - 1]
            i -= 1
        scores[1, i] = score
        moves[i] = move
        count += 1


# ---- proof search --------------------------------------------------------------------------------------------------


@kernel
def prove(board, own, opp, work):
    """Entry of an unfinished position: who wins, and the carrier; 0 if the search was stopped, some steps on."""
    frames, moves, tally = work.frames, work.moves, work.tally
    depth = tally[HEIGHT] - 1
    if depth < 0 or work.asked[0] != own or work.asked[1] != opp:
        place = 0 if depth < 0 else -1  # what is known leaves the stack of a search that was stopped as it is
        frame = frames[place]
        frame[OWN], frame[OPP], frame[LIMIT], frame[SHARE] = own, opp, NEVER, FIRST_SHARE
        entry = settle(board, frame, moves[place], work)
        if entry:
            return entry
        if place:
            frames[0], moves[0] = frame, moves[place]
        work.asked[0], work.asked[1] = own, opp
        depth = 0
    stop, entry = max(tally[STOP], tally[LOOKED] + 1), NOTHING
    while not entry or depth > 0:
        if entry:
            depth -= 1
            entry = back_up(board, frames[depth], frames[depth + 1], entry, work.replies[depth], work)
        elif U(tally[LOOKED]) >= frames[depth, LIMIT]:
            entry = GAVE_UP
        elif tally[LOOKED] < stop:
            descend(frames[depth], moves[depth], work.replies[depth], frames[depth + 1], U(tally[LOOKED]))
            depth += 1
            entry = settle(board, frames[depth], moves[depth], work)
        else:
            tally[HEIGHT] = depth + 1
            return NOTHING
    tally[HEIGHT] = 0
    return entry


@kernel
def settle(board, frame, moves, work):
    """Entry of the frame's position if it can be seen or is known; else 0, and the moves are ready to be tried."""
    work.tally[LOOKED] += 1
    frame[MOVE], frame[HINT] = NOTHING, NOTHING
    fill_in(board, frame, work.rings)
    entry = see(board, frame, work.levels[0])
    if not entry:
        entry = recall(board, work.proofs, frame[OWN], frame[OPP])
    if entry:
        return with_gain(frame, entry)
    empty, opp_t = board.full & ~(frame[OWN] | frame[OPP]), transpose(frame[OPP])
    must, union = must_play(board, opp_t, transpose(empty), work.levels[0])
    if must:
        cells, replies = vulnerable(work.rings[0], work.rings[1], must, empty)
        must, union = must & ~cells, union | cells | replies
    if not must:
        return with_gain(frame, KNOWN | union)
    work.tally[SEARCHED] += 1
    frame[MUST], frame[LEFT], frame[UNION], frame[BEGUN] = must, must, union, U(work.tally[LOOKED])
    order(board, frame[OWN], opp_t, empty, must, work.levels, work.scores, moves)
    return NOTHING


@kernel
def with_gain(frame, entry):
    """What the winner captured when the position was filled in belongs to his carrier."""
    return entry | (frame[OWN_GAIN] if entry & WON else frame[OPP_GAIN])


@kernel
def see(board, frame, levels):
    """Entry of a position where a chain stands, or one move of the mover makes one; else 0."""
    own, opp_t = frame[OWN], transpose(frame[OPP])
    empty = board.full & ~(own | frame[OPP])
    cells = chain(board, opp_t, transpose(empty), levels)
    if cells != NO_CHAIN:
        return KNOWN | transpose(cells)
    cells = chain(board, own, empty, levels)
    if cells != NO_CHAIN:
        return KNOWN | WON | cells
    keys = key_cells(board, own, empty)
    while keys:
        key = lowest(keys)
        keys ^= key
        cells = chain(board, own | key, empty ^ key, levels)
        if cells != NO_CHAIN:
            return KNOWN | WON | cells | key
    return NOTHING


@kernel
def must_play(board, opp_t, empty_t, levels):
    """Cells that meet every threat to complete a chain, and the union of those threats, both as the mover sees them."""
    must, union = empty_t, NOTHING
    keys = key_cells(board, opp_t, empty_t)
    while keys and must:
        key = lowest(keys)
        keys ^= key
        cells = chain(board, opp_t | key, empty_t ^ key, levels)
        if cells != NO_CHAIN and must & ~(cells | key):
            must &= cells | key
            union |= cells | key
    return transpose(must), transpose(union)


@kernel
def descend(frame, moves, replies, child, looked):
    """Play the best move of this round, or begin the next round; an open frame has a move."""
    left = frame[LEFT] & frame[MUST]
    if not left:
        left = frame[MUST]
        frame[SHARE] <<= U(2)
        sort_again(moves, left, replies)
    move = frame[HINT] & left
    place = 0
    while not move:
        move = moves[place] & left
        place += 1
    frame[MOVE], frame[LEFT] = move, left & ~move
    child[OWN], child[OPP] = transpose(frame[OPP]), transpose(frame[OWN] | move)
    child[LIMIT], child[SHARE] = frame[LIMIT], frame[SHARE]
    if move != frame[MUST]:
        child[LIMIT] = min(frame[LIMIT], looked + frame[SHARE])
        child[SHARE] = max(SMALLEST_SHARE, frame[SHARE] >> U(1))


@kernel
def sort_again(moves, left, replies):
    """Write the moves of `left` to the front of `moves`, those that leave fewest replies first."""
    taken = 0
    for count in range(popcount(left)):
        while not moves[taken] & left:
            taken += 1
        move, place = moves[taken], count
        taken += 1
        while place > 0 and replies[cell_of(moves[place - 1])] > replies[cell_of(move)]:
            moves[place] = moves[place - 1]
            place -= 1
        moves[place] = move


@kernel
def cell_of(move):
    return popcount(move - U(1))


@kernel
def back_up(board, frame, child, entry, replies, work):
    """The frame's entry once that of its child decides it, else 0."""
    if entry == GAVE_UP:
        replies[cell_of(frame[MOVE])] = popcount(child[MUST])
        return NOTHING
    cells = transpose(entry & CELLS)
    if entry & WON:
        frame[MUST] &= cells
        frame[UNION] |= cells
        frame[HINT] = transpose(child[MOVE])
        if frame[MUST]:
            return NOTHING
        entry = KNOWN | frame[UNION]
    else:
        entry = KNOWN | WON | cells | frame[MOVE]
    entry = with_effort(entry, work.tally[LOOKED] - np.int64(frame[BEGUN]) + 1)
    remember(board, work.proofs, frame[OWN], frame[OPP], entry)
    return with_gain(frame, entry)
