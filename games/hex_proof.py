"""Proofs of Hex positions: who wins, with which carrier.

The winner's *carrier* is a set of empty cells such that he wins even if the loser gets every empty cell outside it.
It makes the search short (must-play: van Rijswijck, "Search and evaluation in Hex", 2002; Hayward et al., "Solving
7x7 Hex with domination, fill-in, and virtual connections", 2005): when my move m leaves the opponent a win with
carrier C, every other move outside C loses to the same play, so what is left to try is cut down to C.

The search keeps its own stack: cached kernels that call themselves can crash when loaded again (numba issue 6061).
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
from games.hex_table import CELLS, KNOWN, WON, make_table, recall, remember

# Fields of a frame of the search's stack: the position, filled in; the cells each player captured by that; the moves
# still worth trying; the union of the opponent's carriers so far; the move being tried; how many of the ordered moves
# were tried.
OWN, OPP, OWN_GAIN, OPP_GAIN, MUST, UNION, MOVE, TRIED = range(8)
FRAME_WORDS = 8


class Work(NamedTuple):
    """What a search reads and writes; one thread at a time."""

    proofs: np.ndarray  # hash table: position -> winner and carrier
    answers: np.ndarray  # hash table: position -> winner and moves
    frames: np.ndarray  # uint64 [depth, FRAME_WORDS]
    moves: np.ndarray  # uint64 [depth, 64], best first
    levels: np.ndarray  # uint64 [3, 64]
    scores: np.ndarray  # int64 [2, 64]
    rings: np.ndarray  # uint64 [2, 6]
    openings: np.ndarray  # uint64 [1]: the stubborn first moves under the swap rule, 0 while unknown
    tally: np.ndarray  # int64 [2]: positions looked at, positions that had to be searched


def make_work(proof_slots: int, answer_slots: int) -> Work:
    """Empty tables that may grow to so many slots (powers of two, 24 bytes each)."""
    return Work(
        make_table(proof_slots), make_table(answer_slots), np.zeros((64, FRAME_WORDS), U), np.zeros((64, 64), U),
        np.zeros((3, 64), U), np.zeros((2, 64), np.int64), np.zeros((2, 6), U), np.zeros(1, U),
        np.zeros(2, np.int64),
    )  # fmt: skip


# ---- fill-in -------------------------------------------------------------------------------------------------------
# A cell on no shortest way between a player's edges, however the board is filled, is dead: its colour never matters.
# Two empty cells are captured by a player if either dies once he has the other: he answers one with the other, so
# both are his. (Hayward, van Rijswijck: "Hex and combinatorics", 2006.) Both are seen from the ring
# of six neighbours alone: 0 above, 1 above right, 2 right, 3 below, 4 below left, 5 left.


@kernel
def look_around(board, own, opp, p, q):
    """p[i], q[i]: cells whose neighbour i is the mover's, the other's; edges belong to the player they serve."""
    p[0], q[0] = (own << U(8)) | board.top, opp << U(8)
    p[1], q[1] = (own << U(7)) | board.top, ((opp << U(7)) | board.right) & ~board.top
    p[2], q[2] = own >> U(1), (opp >> U(1)) | board.right
    p[3], q[3] = (own >> U(8)) | board.bottom, opp >> U(8)
    p[4], q[4] = (own >> U(7)) | board.bottom, ((opp >> U(7)) | board.left) & ~board.bottom
    p[5], q[5] = own << U(1), (opp << U(1)) | board.left


@kernel
def useless(p, q):
    """Cells on no shortest way of the player whose ring is p.

    A way through a cell enters from one neighbour and leaves by another. It can be cut short if they touch each other
    or if the ring between them, on one side, is all his.
    """
    used = NOTHING
    for i in range(6):
        j, k, m, n, o = (i + 1) % 6, (i + 2) % 6, (i + 3) % 6, (i + 4) % 6, (i + 5) % 6
        used |= ~q[i] & ~q[k] & ~(p[j] | (p[m] & p[n] & p[o]))
        if i < 3:
            used |= ~q[i] & ~q[m] & ~((p[j] & p[k]) | (p[n] & p[o]))
    return ~used


@kernel
def dead_beside(p, q, i):
    """Cells that are dead once neighbour i belongs to the player whose ring is p."""
    before_p, before_q = p[i], q[i]
    p[i], q[i] = ~NOTHING, NOTHING
    dead = useless(p, q) | useless(q, p)
    p[i], q[i] = before_p, before_q
    return dead


@kernel
def captured(p, q, empty):
    """Some pairs of empty cells captured by the player whose ring is p; 0 if there are none."""
    up = dead_beside(p, q, 0) & (dead_beside(p, q, 3) << U(8)) & empty & (empty << U(8))
    if up:
        return up | (up >> U(8))
    up = dead_beside(p, q, 1) & (dead_beside(p, q, 4) << U(7)) & empty & (empty << U(7))
    if up:
        return up | (up >> U(7))
    left = dead_beside(p, q, 2) & (dead_beside(p, q, 5) >> U(1)) & empty & (empty >> U(1))
    return left | (left << U(1))


@kernel
def fill_in(board, frame, rings):
    """Give dead cells to the mover and captured ones to their owner until there are none; note what was captured.

    Dead stones become the mover's too, one at a time since each was found dead among the others as they are: positions
    that differ only there are then one.
    """
    p, q = rings[0], rings[1]
    own, opp, done = frame[OWN], frame[OPP], NOTHING
    frame[OWN_GAIN], frame[OPP_GAIN] = NOTHING, NOTHING
    while True:
        look_around(board, own, opp, p, q)
        empty = board.full & ~(own | opp)
        dead = (useless(p, q) | useless(q, p)) & board.full & ~done
        if dead:
            dead = dead & empty if dead & empty else lowest(dead)
            done |= dead
            own, opp = own | dead, opp & ~dead
            continue
        cells = captured(p, q, empty)
        if cells:
            own |= cells
            frame[OWN_GAIN] |= cells
            continue
        cells = captured(q, p, empty)
        if not cells:
            break
        opp |= cells
        frame[OPP_GAIN] |= cells
    frame[OWN], frame[OPP] = own, opp


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
    """Entry of an unfinished position: who wins, and the carrier."""
    frames, moves = work.frames, work.moves
    depth = 0
    frames[0, OWN], frames[0, OPP] = own, opp
    entry = settle(board, frames[0], moves[0], work)
    while True:
        if not entry:
            descend(frames[depth], moves[depth], frames[depth + 1])
            depth += 1
            entry = settle(board, frames[depth], moves[depth], work)
        elif depth == 0:
            return entry
        else:
            depth -= 1
            entry = back_up(board, frames[depth], entry, work.proofs)


@kernel
def settle(board, frame, moves, work):
    """Entry of the frame's position if it can be seen or is known; else 0, and the moves are ready to be tried."""
    work.tally[0] += 1
    fill_in(board, frame, work.rings)
    entry = see(board, frame, work.levels[0])
    if not entry:
        entry = recall(board, work.proofs, frame[OWN], frame[OPP])
    if entry:
        return with_gain(frame, entry)
    empty, opp_t = board.full & ~(frame[OWN] | frame[OPP]), transpose(frame[OPP])
    must, union = must_play(board, opp_t, transpose(empty), work.levels[0])
    if not must:
        return with_gain(frame, KNOWN | union)
    work.tally[1] += 1
    frame[MUST], frame[UNION], frame[TRIED] = must, union, U(0)
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
def descend(frame, moves, child):
    """Play the best untried move that is still worth trying; an open frame has one."""
    tried = frame[TRIED]
    while not moves[tried] & frame[MUST]:
        tried += U(1)
    frame[TRIED], frame[MOVE] = tried + U(1), moves[tried]
    child[OWN], child[OPP] = transpose(frame[OPP]), transpose(frame[OWN] | moves[tried])


@kernel
def back_up(board, frame, child, proofs):
    """The frame's entry once the child's decides it, else 0."""
    cells = transpose(child & CELLS)
    if child & WON:
        frame[MUST] &= cells
        frame[UNION] |= cells
        if frame[MUST]:
            return NOTHING
        entry = KNOWN | frame[UNION]
    else:
        entry = KNOWN | WON | cells | frame[MOVE]
    remember(board, proofs, frame[OWN], frame[OPP], entry)
    return with_gain(frame, entry)
