"""Hash tables of Hex positions, as plain arrays that kernels fill.

An *entry* is one uint64 about a position: KNOWN, WON when the mover wins, and in CELLS the winner's carrier (proofs) or
a set of moves (answers, complete where MOVES is set). EFFORT holds how many binary digits the number of positions has
that were looked at to find it out.

A table is uint64 [limit + WAYS, 3]: own, opp, entry. The first `slots` rows are in use, WAYS neighbours for each hash,
the free ones last; where none is free, the entry of least effort is given away. The last row holds `slots`, how many
are taken, and how many entries were ever new. The array has its full size from the start, but memory that is never
touched costs nothing. A position and its half turn share a row.
"""

from __future__ import annotations

import numpy as np

from games.core import kernel
from games.hex_bits import NOTHING, U, half_turn

WON, KNOWN, MOVES = U(1 << 63), U(1 << 62), U(1 << 61)
CELLS = U((1 << 55) - 1)  # of a 7 x 7 board
EFFORT, EFFORT_SHIFT = U(63 << 55), U(55)

FIRST_SLOTS = 1 << 12
WAYS = 8


def make_table(limit: int) -> np.ndarray:
    """An empty table for at most `limit` slots, a power of two, at least WAYS."""
    table = np.zeros((limit + WAYS, 3), U)
    table[-1, 0] = min(FIRST_SLOTS, limit)
    return table


@kernel
def first_slot(table, own, opp):
    """Where the WAYS slots of a position begin."""
    x = (own * U(0x9E3779B97F4A7C15)) ^ (opp * U(0xC2B2AE3D27D4EB4F))
    x = (x ^ (x >> U(29))) * U(0xBF58476D1CE4E5B9)
    return np.int64((x ^ (x >> U(32))) & (table[-1, 0] - U(1))) & ~(WAYS - 1)


@kernel
def look_up(table, own, opp):
    first = first_slot(table, own, opp)
    for slot in range(first, first + WAYS):
        entry = table[slot, 2]
        if not entry or (table[slot, 0] == own and table[slot, 1] == opp):
            return entry
    return NOTHING


@kernel
def insert(table, own, opp, entry):
    """Put an entry in its place: that of the same position, else the first free one, else that of least effort."""
    if U(2) * table[-1, 1] > table[-1, 0] and table[-1, 0] < U(len(table) - WAYS):
        make_room(table)
    first = first_slot(table, own, opp)
    chosen = first
    for slot in range(first, first + WAYS):
        if not table[slot, 2]:
            table[-1, 1] += U(1)
            chosen = slot
            break
        if table[slot, 0] == own and table[slot, 1] == opp:
            table[slot, 2] = entry
            return
        if effort(table[slot, 2]) < effort(table[chosen, 2]):
            chosen = slot
    table[-1, 2] += U(1)
    table[chosen, 0], table[chosen, 1], table[chosen, 2] = own, opp, entry


@kernel
def effort(entry):
    """What an entry is worth keeping, from 1 to 64; 0 for none."""
    return np.int64((entry >> EFFORT_SHIFT) & U(63)) + 1 if entry else 0


@kernel
def with_effort(entry, looked):
    """The entry with the binary digits of the number of positions looked at."""
    digits = U(0)
    while looked:
        digits += U(1)
        looked >>= 1
    return entry | (digits << EFFORT_SHIFT)


@kernel
def make_room(table):
    """Double the slots in use: what belongs there now moves up by as many rows as there were."""
    slots = np.int64(table[-1, 0])
    table[-1, 0] *= U(2)
    for first in range(0, slots, WAYS):
        low, high = first, first + slots
        for slot in range(first, first + WAYS):
            own, opp, entry = table[slot, 0], table[slot, 1], table[slot, 2]
            if not entry:
                break
            table[slot, 2] = NOTHING
            if first_slot(table, own, opp) == first:
                table[low, 0], table[low, 1], table[low, 2] = own, opp, entry
                low += 1
            else:
                table[high, 0], table[high, 1], table[high, 2] = own, opp, entry
                high += 1


@kernel
def recall(board, table, own, opp):
    """The entry of a position, 0 if there is none."""
    turned, other = half_turn(board, own), half_turn(board, opp)
    if turned > own or (turned == own and other >= opp):
        return look_up(table, own, opp)
    entry = look_up(table, turned, other)
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


@kernel
def hardest_rows(table, most):
    """The rows [N, 3] of a table that took most effort, at most `most`."""
    slots = np.int64(table[-1, 0])
    counts = np.zeros(65, np.int64)
    for slot in range(slots):
        counts[effort(table[slot, 2])] += 1
    least, spare = 64, most
    while least > 1 and counts[least] <= spare:
        spare -= counts[least]
        least -= 1
    rows = np.empty((min(most, slots - counts[0]), 3), U)
    count = 0
    for slot in range(slots):
        worth = effort(table[slot, 2])
        if worth > least or (worth == least and spare > 0):
            spare -= worth == least
            for i in range(3):
                rows[count, i] = table[slot, i]
            count += 1
    return rows
