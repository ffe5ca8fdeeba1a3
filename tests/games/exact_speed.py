"""Cost of exact Hex: proofs of the empty board and of all openings, and answers on positions as they occur in games.

    python -m tests.games.exact_speed 5 2000                  size, games
    python -m tests.games.exact_speed 7 openings [d4 a7 ...]  each opening by itself, up to half a turn, or these alone

Games begin with two random moves. Cold: empty tables, nothing stored. Warm: the same positions asked again. CPU time.
"""

import os
import sys
import tempfile
import time

import numpy as np

from games import hex_bits, hex_proof, hex_solver, hex_table, make
from games.exact import solver


def proofs(size):
    board, work = hex_bits.make_board(size), hex_proof.make_work(1 << 22, 1 << 12)
    begun, nothing = time.process_time(), np.uint64(0)
    hex_proof.prove(board, nothing, nothing, work)
    print(f"{size} empty board: {work.tally[0]} positions, {1e3 * (time.process_time() - begun):.2f} ms")
    begun = time.process_time()
    for bit in [8 * row + col for row in range(size) for col in range(size)]:
        hex_proof.prove(board, nothing, np.uint64(1 << bit), work)
    print(f"{size} all openings: {work.tally[0]} positions, {1e3 * (time.process_time() - begun):.1f} ms")


def openings(size, names):
    """Each opening after the ones before it, with one table of 400 MB; the central ones first."""
    board, work = hex_bits.make_board(size), hex_proof.make_work(1 << 24, 1 << 12)
    cells = [(row, col) for row in range(size) for col in range(size) if (row, col) <= (size - 1 - row, size - 1 - col)]
    spent = 0.0
    for row, col in sorted(cells, key=lambda cell: sum(abs(2 * x - y) for x, y in
                           ((cell[0], size - 1), (cell[1], size - 1), (sum(cell), 2 * size - 2)))):  # fmt: skip
        name = "abcdefg"[col] + str(row + 1)
        if not names or name in names:
            before, begun = int(work.tally[0]), time.process_time()
            entry = hex_proof.prove(board, np.uint64(0), np.uint64(1 << (8 * col + row)), work)
            took = time.process_time() - begun
            spent += took
            print(f"{name} {'loses' if entry & hex_table.WON else 'wins'}: {work.tally[0] - before} positions, "
                  f"{took:.1f} s; all so far {work.tally[0]}, {spent:.1f} s", flush=True)  # fmt: skip


def play(game, count, perfect, rng):
    """All positions after two random moves of games in which `perfect[player]` plays perfectly, else at random."""
    states, seen = game.reset(count), []
    for ply in range(game.max_length):
        live = np.flatnonzero(~game.over(states))
        moved = states[live]
        if ply >= 2:
            seen.append(moved.copy())
        mask = solver(game).perfect_moves(moved) if ply >= 2 and perfect[ply % 2] else game.legal(moved)
        game.advance(moved, np.argmax(np.where(mask, rng.random(mask.shape), -1), axis=1))
        states[live] = moved
    return np.concatenate(seen)


def answers(size, count):
    game = make("hex", size=size)
    for name, perfect in (("random", (0, 0)), ("perfect against random", (1, 0)), ("perfect", (1, 1))):
        hex_solver.tables.cache_clear()
        positions = play(game, count, perfect, np.random.default_rng(0))
        for ask in ("perfect_moves", "action_values"):
            hex_solver.tables.cache_clear()
            getattr(solver(game), ask)(game.reset(2))
            spent = []
            for _ in range(2):
                begun = time.process_time()
                getattr(solver(game), ask)(positions)
                spent.append(1e6 * (time.process_time() - begun) / len(positions))
            distinct = len(np.unique(positions, axis=0))
            print(f"{size} {name}: {ask} of {len(positions)} positions, {distinct} distinct: "
                  f"cold {spent[0]:.1f} us, warm {spent[1]:.2f} us each", flush=True)  # fmt: skip


if __name__ == "__main__":
    os.environ["ISOELO_CACHE"] = tempfile.mkdtemp()
    hex_solver.SAVE_ROWS = 10**12  # nothing is stored, or the second question would not be cold
    hex_proof.prove(hex_bits.make_board(2), np.uint64(0), np.uint64(0), hex_proof.make_work(64, 64))
    if sys.argv[2] == "openings":
        openings(int(sys.argv[1]), sys.argv[3:])
    else:
        proofs(int(sys.argv[1]))
        answers(int(sys.argv[1]), int(sys.argv[2]))
