"""Hash tables of Hex positions, as plain arrays that kernels fill.

An *entry* is one uint64 about a position: KNOWN, WON when the mover wins, and in CELLS the winner's carrier (proofs) or
a set of moves (answers, complete where MOVES is set).

A table is uint64 [limit + 1, 3]: own, opp, entry. The first `slots` rows are in use, probed in line; the last row holds
slots and how many are taken. The array has its full size from the start, but memory that is never touched costs
nothing. A position and its half turn share a row.
"""

from __future__ import annotations

import numpy as np

from games.core import kernel
from games.hex_bits import U, half_turn

WON, KNOWN, MOVES = U(1 << 63), U(1 << 62), U(1 << 61)
CELLS = U((1 << 61) - 1)

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
