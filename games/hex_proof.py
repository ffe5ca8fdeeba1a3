"""Proofs of Hex positions on bitboards: who wins, with which carrier, by which moves.

A position is two uint64 masks, the mover's stones `own` and the other player's `opp`; cell (r, c) is bit 8 r + c, so
boards up to 7 x 7 fit and a step off the board leaves the mask. The mover always connects top and bottom: when the
turn passes, both masks are transposed. `*_t` is a mask as the other player sees it.

The winner's *carrier* is a set of empty cells such that he wins even if the loser gets every empty cell outside it.
It makes the search short (must-play: van Rijswijck, "Search and evaluation in Hex", 2002; Hayward et al., "Solving
7x7 Hex with domination, fill-in, and virtual connections", 2005): when my move m leaves the opponent a win with
carrier C, every other move outside C loses to the same play, so what is left to try is cut down to C. An extra stone
never hurts its owner in Hex; that is what the rules for sets of winning moves rest on.

An *entry* is one uint64: KNOWN, WON when the mover wins, and in CELLS the winner's carrier (proofs) or a set of moves
(answers). Everything is in one file because numba's cache notices changes of the calling file only; the search keeps
its own stack because cached kernels that call themselves can crash when loaded again (numba issue 6061).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from games.core import HEADER, OVER, RESULT, TO_MOVE, kernel

U = np.uint64

WON, KNOWN, MOVES = U(1 << 63), U(1 << 62), U(1 << 61)
CELLS = U((1 << 61) - 1)
NO_CHAIN = U(1 << 63)
NOTHING = U(0)

LARGEST = 7

# Fields of a frame of the search's stack: the position, filled in; the cells each player captured by that; the moves
# still worth trying; the union of the opponent's carriers so far; the move being tried; how many of the ordered moves
# were tried.
OWN, OPP, OWN_GAIN, OPP_GAIN, MUST, UNION, MOVE, TRIED = range(8)
FRAME_WORDS = 8


class Board(NamedTuple):
    """Constant masks of a size."""

    size: int
    full: np.uint64
    top: np.uint64
    bottom: np.uint64
    left: np.uint64
    right: np.uint64
    turn: np.uint64  # how far a half turn of the 8 x 8 square must be shifted back


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


def make_board(size: int) -> Board:
    """Masks of a size from 1 to LARGEST."""
    top = (1 << size) - 1
    left = sum(1 << 8 * row for row in range(size))
    bottom, right = top << 8 * (size - 1), left << (size - 1)
    return Board(size, U(top * left), U(top), U(bottom), U(left), U(right), U(9 * (8 - size)))


def make_work(proof_slots: int, answer_slots: int) -> Work:
    """Empty tables that may grow to so many slots (powers of two, 24 bytes each)."""
    return Work(
        make_table(proof_slots), make_table(answer_slots), np.zeros((64, FRAME_WORDS), U), np.zeros((64, 64), U),
        np.zeros((3, 64), U), np.zeros((2, 64), np.int64), np.zeros((2, 6), U), np.zeros(1, U),
        np.zeros(2, np.int64),
    )  # fmt: skip


# ---- bitboards -----------------------------------------------------------------------------------------------------


@kernel
def transpose(x):
    """Bit (r, c) to (c, r): three rounds of swapping blocks (Warren, Hacker's Delight, section 7-3)."""
    t = (x ^ (x >> U(7))) & U(0x00AA00AA00AA00AA)
    x ^= t ^ (t << U(7))
    t = (x ^ (x >> U(14))) & U(0x0000CCCC0000CCCC)
    x ^= t ^ (t << U(14))
    t = (x ^ (x >> U(28))) & U(0x00000000F0F0F0F0)
    return x ^ t ^ (t << U(28))


@kernel
def half_turn(board, x):
    """Bit (r, c) to (size - 1 - r, size - 1 - c): all 64 bits reversed, then moved back to the corner."""
    x = ((x >> U(1)) & U(0x5555555555555555)) | ((x & U(0x5555555555555555)) << U(1))
    x = ((x >> U(2)) & U(0x3333333333333333)) | ((x & U(0x3333333333333333)) << U(2))
    x = ((x >> U(4)) & U(0x0F0F0F0F0F0F0F0F)) | ((x & U(0x0F0F0F0F0F0F0F0F)) << U(4))
    x = ((x >> U(8)) & U(0x00FF00FF00FF00FF)) | ((x & U(0x00FF00FF00FF00FF)) << U(8))
    x = ((x >> U(16)) & U(0x0000FFFF0000FFFF)) | ((x & U(0x0000FFFF0000FFFF)) << U(16))
    return ((x >> U(32)) | (x << U(32))) >> board.turn


@kernel
def lowest(x):
    return x & (~x + U(1))


@kernel
def popcount(x):
    x = x - ((x >> U(1)) & U(0x5555555555555555))
    x = (x & U(0x3333333333333333)) + ((x >> U(2)) & U(0x3333333333333333))
    x = (x + (x >> U(4))) & U(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * U(0x0101010101010101)) >> U(56))


@kernel
def near(x):
    """Neighbours of x, and bits off the board, which the caller masks."""
    return (x << U(1)) | (x >> U(1)) | (x << U(8)) | (x >> U(8)) | (x << U(7)) | (x >> U(7))


@kernel
def flood(seed, stones):
    """`seed` with all stones that touch it directly or through other stones."""
    while True:
        grown = seed | (near(seed) & stones)
        if grown == seed:
            return seed
        seed = grown


# ---- bridges -------------------------------------------------------------------------------------------------------
# A bridge joins two cells through two common neighbours that are both empty: if the opponent takes one, the other
# connects. So does a cell of the second row with its edge. The six directions are steps of +-15, +-9 and +-6 bits.


@kernel
def bridged(x, free):
    """Cells a bridge away from x, its two carrying cells in `free`."""
    down, up = (free >> U(8)) & (free >> U(7)), (free << U(8)) & (free << U(7))
    out = ((x & down) << U(15)) | ((x & up) >> U(15))
    down, up = (free >> U(1)) & (free >> U(8)), (free << U(1)) & (free << U(8))
    out |= ((x & down) << U(9)) | ((x & up) >> U(9))
    down, up = (free << U(1)) & (free >> U(7)), (free >> U(1)) & (free << U(7))
    return out | ((x & down) << U(6)) | ((x & up) >> U(6))


@kernel
def under_top(board, free):
    """Cells of the second row that two free cells tie to the top edge."""
    return (free & (free >> U(1)) & board.top) << U(8)


@kernel
def above_bottom(board, free):
    """Cells of the last row but one that two free cells tie to the bottom edge."""
    return (free & (free << U(1)) & board.bottom) >> U(8)


@kernel
def find_bridge(group, goal, free):
    """A cell of `goal` that a bridge through `free` ties to `group`, and the bridge's two cells; (0, 0) if none."""
    x = lowest(((group & (free >> U(8)) & (free >> U(7))) << U(15)) & goal)
    if x:
        return x, (x >> U(7)) | (x >> U(8))
    x = lowest(((group & (free << U(8)) & (free << U(7))) >> U(15)) & goal)
    if x:
        return x, (x << U(7)) | (x << U(8))
    x = lowest(((group & (free >> U(1)) & (free >> U(8))) << U(9)) & goal)
    if x:
        return x, (x >> U(8)) | (x >> U(1))
    x = lowest(((group & (free << U(1)) & (free << U(8))) >> U(9)) & goal)
    if x:
        return x, (x << U(8)) | (x << U(1))
    x = lowest(((group & (free << U(1)) & (free >> U(7))) << U(6)) & goal)
    if x:
        return x, (x >> U(7)) | (x << U(1))
    x = lowest(((group & (free >> U(1)) & (free << U(7))) >> U(6)) & goal)
    if x:
        return x, (x << U(7)) | (x >> U(1))
    return NOTHING, NOTHING


@kernel
def chain(board, own, empty, levels):
    """Carrier of a chain of stones and bridges from top to bottom with the opponent to move, or NO_CHAIN.

    Sound, not complete: the bridges are the fewest possible and their cells are kept apart while tracing back, but no
    second trace is tried.
    """
    loose = above_bottom(board, empty)
    reach = flood(own & board.top, own)
    levels[0] = reach
    last = 0
    while not reach & (board.bottom | loose):
        grown = reach | ((bridged(reach, empty) | under_top(board, empty)) & own)
        if grown == reach:
            return NO_CHAIN
        reach = flood(grown, own)
        last += 1
        levels[last] = reach
    used = NOTHING
    end = lowest(reach & board.bottom)
    if not end:
        end = lowest(reach & loose)
        used = (end << U(8)) | (end << U(7))
    return trace(board, own, empty, levels, last, end, used)


@kernel
def trace(board, own, empty, levels, last, end, used):
    """The chain from `end`, a stone of level `last`, back to the top edge through bridges that share no cell."""
    group = flood(end, own)
    while last > 0:
        free = empty & ~used
        end = lowest(group & under_top(board, free))
        if last == 1 and end:
            return used | (end >> U(8)) | (end >> U(7))
        end, cells = find_bridge(group, levels[last - 1], free)
        if not end:
            return NO_CHAIN
        used |= cells
        group = flood(end, own)
        last -= 1
    return used


@kernel
def tied(edge, own, empty):
    """Empty cells where a stone would be tied to an edge by stones and bridges; `edge` is what the edge itself ties."""
    reach = edge & own
    while True:
        grown = reach | ((near(reach) | bridged(reach, empty)) & own)
        if grown == reach:
            return (near(reach) | bridged(reach, empty) | edge) & empty
        reach = grown


@kernel
def key_cells(board, own, empty):
    """Empty cells where a stone may complete a chain; `chain` decides whether it does."""
    top = tied(board.top | under_top(board, empty), own, empty)
    return top & tied(board.bottom | above_bottom(board, empty), own, empty)


# ---- fill-in -------------------------------------------------------------------------------------------------------
# A cell on no shortest way between a player's edges, however the board is filled, is dead: its colour never matters.
# Two empty cells are captured by a player if either dies once he has the other: he answers one with the other, so
# both are his. (Hayward, van Rijswijck: "Hex and combinatorics", 2006, sections 3 and 4.) Both are seen from the ring
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


# ---- hash tables ---------------------------------------------------------------------------------------------------
# uint64 [limit + 1, 3]: own, opp, entry. The first `slots` rows are in use, probed in line; the last row holds slots
# and how many are taken. The array has its full size from the start, but memory that is never touched costs nothing.
# Keys stand for a position and its half turn.

FIRST_SLOTS = 1 << 12


def make_table(limit: int) -> np.ndarray:
    """An empty table for at most `limit` slots, a power of two."""
    table = np.zeros((limit + 1, 3), U)
    table[limit, 0] = min(FIRST_SLOTS, limit)
    return table


@kernel
def find_slot(table, own, opp):
    mask = table[-1, 0] - U(1)
    x = (own * U(0x9E3779B97F4A7C15)) ^ (opp * U(0xC2B2AE3D27D4EB4F))
    x = (x ^ (x >> U(29))) * U(0xBF58476D1CE4E5B9)
    slot = (x ^ (x >> U(32))) & mask
    while table[slot, 2] and (table[slot, 0] != own or table[slot, 1] != opp):
        slot = (slot + U(1)) & mask
    return slot


@kernel
def insert(table, own, opp, entry):
    slot = find_slot(table, own, opp)
    if not table[slot, 2]:
        table[-1, 1] += U(1)
        if U(4) * table[-1, 1] > U(3) * table[-1, 0]:
            make_room(table)
            slot = find_slot(table, own, opp)
    table[slot, 0], table[slot, 1], table[slot, 2] = own, opp, entry


@kernel
def make_room(table):
    """Double the slots in use; at the limit forget everything, since all of it can be proven again."""
    slots = table[-1, 0]
    old = table[:slots].copy()
    table[:slots] = 0
    if slots == U(len(table) - 1):
        table[-1, 1] = U(1)
        return
    table[-1, 0] = U(2) * slots
    for i in range(len(old)):
        if old[i, 2]:
            slot = find_slot(table, old[i, 0], old[i, 1])
            table[slot] = old[i]


@kernel
def recall(board, table, own, opp):
    """The entry of a position, 0 if there is none."""
    turned, other = half_turn(board, own), half_turn(board, opp)
    if turned > own or (turned == own and other >= opp):
        return table[find_slot(table, own, opp), 2]
    entry = table[find_slot(table, turned, other), 2]
    return (entry & ~CELLS) | half_turn(board, entry & CELLS)


@kernel
def remember(board, table, own, opp, entry):
    turned, other = half_turn(board, own), half_turn(board, opp)
    if turned > own or (turned == own and other >= opp):
        insert(table, own, opp, entry)
    else:
        insert(table, turned, other, (entry & ~CELLS) | half_turn(board, entry & CELLS))


@kernel
def load_rows(table, rows):
    """Insert saved rows [N, 3]."""
    for i in range(len(rows)):
        insert(table, rows[i, 0], rows[i, 1], rows[i, 2])


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


# ---- sets of moves -------------------------------------------------------------------------------------------------


@kernel
def winning_moves(board, own, opp, most, work):
    """The mover's winning moves; may stop once there are more than `most`.

    Moves outside a carrier with which the opponent would win if it were his turn lose. Where he would lose even then,
    the mover has a stone to spare and every move wins.
    """
    own_t, opp_t = transpose(own), transpose(opp)
    left = board.full & ~(own | opp)
    entry = prove(board, opp_t, own_t, work)
    if not entry & WON:
        return left
    left &= transpose(entry & CELLS)
    found = NOTHING
    while left and popcount(found) <= most:
        move = lowest(left)
        left ^= move
        entry = prove(board, opp_t, own_t | transpose(move), work)
        if entry & WON:
            left &= transpose(entry & CELLS)
        else:
            found |= move
    return found


@kernel
def stubborn_moves(board, own, opp, carrier, work):
    """In a lost position, the moves after which the opponent has the fewest winning moves.

    Outside the carrier of the opponent's win every reply wins: none of them takes anything from him.
    """
    empty = board.full & ~(own | opp)
    fewest, best = popcount(empty) - 1, empty & ~carrier
    left = carrier
    while left:
        move = lowest(left)
        left ^= move
        replies = popcount(winning_moves(board, transpose(opp), transpose(own | move), fewest, work))
        if replies < fewest:
            fewest, best = replies, NOTHING
        if replies == fewest:
            best |= move
    return best


@kernel
def answer(board, own, opp, stubborn, work):
    """Entry with the winning moves of a won position; of a lost one, where asked for, the stubborn moves."""
    entry = recall(board, work.answers, own, opp)
    if entry & MOVES or (entry and not stubborn):
        return entry
    proof = prove(board, own, opp, work)
    entry = proof & ~CELLS
    if proof & WON:
        entry |= MOVES | winning_moves(board, own, opp, 64, work)
    elif stubborn:
        entry |= MOVES | stubborn_moves(board, own, opp, proof & CELLS, work)
    remember(board, work.answers, own, opp, entry)
    return entry


# ---- batches of states ---------------------------------------------------------------------------------------------
# States are games.hex's: header, size * size cells (0 empty, else odd for player 0, even for player 1), and with swap
# one word: 0 empty board, 1 the mover may swap, 2 later. After `swap` the position is the one before it with the
# players' roles exchanged and the other player to move: swapping wins exactly where playing on loses.

LATER = 2


@kernel
def read(board, state):
    """The mover's and the other player's stones, in the mover's frame."""
    own, opp = NOTHING, NOTHING
    odd = state[TO_MOVE] == 0
    for row in range(board.size):
        for col in range(board.size):
            code = state[HEADER + row * board.size + col]
            if code:
                bit = U(1) << (U(8 * row + col) if odd else U(8 * col + row))
                if (code & 1) == odd:
                    own |= bit
                else:
                    opp |= bit
    return own, opp


@kernel
def swap_word(board, state, swap):
    return state[HEADER + board.size * board.size] if swap else LATER


@kernel
def write(board, state, moves, value, out):
    """out[action] = value for each of `moves`."""
    if state[TO_MOVE]:
        moves = transpose(moves)
    while moves:
        bit = popcount(lowest(moves) - U(1))
        out[(bit >> 3) * board.size + (bit & 7)] = value
        moves &= moves - U(1)


@kernel
def fill_values(board, swap, states, out, work):
    """out [B]: value for the player to move."""
    for b in range(len(states)):
        state = states[b]
        word = swap_word(board, state, swap)
        if state[OVER]:
            out[b] = state[RESULT] * (1 - 2 * state[TO_MOVE])
        elif word < LATER:
            out[b] = 2 * word - 1
        else:
            own, opp = read(board, state)
            out[b] = 1 if prove(board, own, opp, work) & WON else -1


@kernel
def fill_action_values(board, swap, states, out, work):
    """out [B, A], filled with ILLEGAL before: value of each legal action for the mover."""
    for b in range(len(states)):
        state = states[b]
        if state[OVER]:
            continue
        own, opp = read(board, state)
        write(board, state, board.full & ~(own | opp), -1, out[b])
        word = swap_word(board, state, swap)
        if word == 0:
            continue
        entry = answer(board, own, opp, False, work)
        if entry & WON:
            write(board, state, entry & CELLS, 1, out[b])
        if word == 1:
            out[b, board.size * board.size] = -1 if entry & WON else 1


@kernel
def fill_perfect_moves(board, swap, states, out, work):
    """out [B, A], zero before: 1 where the stubborn perfect player may move."""
    for b in range(len(states)):
        state = states[b]
        if state[OVER]:
            continue
        own, opp = read(board, state)
        word = swap_word(board, state, swap)
        if word == 0:
            write(board, state, swap_openings(board, work), 1, out[b])
            continue
        entry = answer(board, own, opp, word == LATER, work)
        if word == 1 and not entry & WON:
            out[b, board.size * board.size] = 1
        else:
            write(board, state, entry & CELLS, 1, out[b])


@kernel
def swap_openings(board, work):
    """First moves under the swap rule that leave one winning reply, the fewest: all lose, and some reply wins.

    After a winning opening that reply is `swap`; after a losing one `swap` loses and the other moves are counted.
    """
    if not work.openings[0]:
        left = board.full
        while left:
            move = lowest(left)
            left ^= move
            entry = prove(board, NOTHING, transpose(move), work)
            if not entry & WON or popcount(winning_moves(board, NOTHING, transpose(move), 1, work)) == 1:
                work.openings[0] |= move
    return work.openings[0]
