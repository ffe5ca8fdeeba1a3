"""Exact play of Hex: batches of answers from proofs, with results kept on disk.

`solver(game)` is what `games.exact` looks for, up to 6 x 6; `prover(game)` is what `games.solve` looks for, up to
7 x 7. Boards of one size share their tables within a process, with and without the swap rule.
"""

from __future__ import annotations

import atexit
import functools
import os
import pathlib
import threading
import time

import numpy as np

from games import exact_store as store
from games import hex_answers, hex_bits, hex_proof, hex_table
from games.core import Game, GameError
from games.solving import ILLEGAL, Exact

LARGEST = 6
"""Size of the largest board with a perfect player; `python -m games.solve` goes on to hex_bits.LARGEST."""
PROOF_SLOTS, ANSWER_SLOTS = 1 << 22, 1 << 21  # at most 100 MB and 50 MB of memory, taken as they fill
STORED_ROWS = 1 << 19  # per table: at most 12.6 MB each on disk
SAVE_SECONDS = 20.0  # a file is not written more often, except at exit
SAVE_SHARE = 0.05  # of the time, at most, goes into writing files
SAVE_ROWS, SAVE_NEW = 2000, 0.1  # nor for less that is new, in rows and as a share of what it holds
ROWS = 1000  # per kernel call, and positions looked at between two looks at the clock: Ctrl-C is heard then
SLICE = 100_000


def solver(game: Game) -> HexExact:
    """Exact play of a Hex game. Raises GameError beyond 6 x 6."""
    check_size(game, LARGEST, f"choose game.size={LARGEST} or less, or rate the agents without a perfect player")
    return HexExact(game)


def prover(game: Game, slots: int = 2 * PROOF_SLOTS) -> HexExact:
    """The same for as long as it takes, up to 7 x 7; `slots`, a power of two from 32 on, is the memory in 16 bytes."""
    check_size(game, hex_bits.LARGEST, "larger boards are out of reach")
    return HexExact(game, slots // 2, slots // 8)


def check_size(game: Game, largest: int, remedy: str) -> None:
    """Raises GameError for boards that are not squares up to size `largest`."""
    if game.settings.get("rows") is not None:
        raise GameError(f"exact play of Hex is of square boards, not {game.title}: choose rows = columns, or rate "
                        f"the agents without a perfect player")  # fmt: skip
    if not 2 <= game.size <= largest:
        raise GameError(f"exact play of Hex goes from size 2 to {largest}, not {game.size}: {remedy}")


class HexExact(Exact):
    """Exact play of one Hex game, with or without swap; may be called from several threads."""

    def __init__(self, game: Game, proof_slots: int = PROOF_SLOTS, answer_slots: int = ANSWER_SLOTS):
        self.game = game
        self._swap = bool(game.settings["swap"])
        self._tables = tables(game.size, store.folder(), proof_slots, answer_slots)

    @property
    def searched(self) -> int:
        return int(self._tables.work.tally[hex_proof.LOOKED])

    def values(self, states):
        return self._fill(hex_answers.fill_values, states, np.zeros(len(states), np.int8))

    def action_values(self, states):
        out = np.full((len(states), self.game.num_actions), ILLEGAL, np.int8)
        return self._fill(hex_answers.fill_action_values, states, out)

    def perfect_moves(self, states):
        out = np.zeros((len(states), self.game.num_actions), np.int8)
        return self._fill(hex_answers.fill_perfect_moves, states, out).view(np.bool_)

    def save(self):
        self._tables.save()

    def _fill(self, kernel, states, out):
        states = np.ascontiguousarray(states, self.game.state_dtype)
        tables, done = self._tables, 0
        with tables.lock:
            while done < len(states):
                part = slice(done, done + ROWS)
                tables.work.tally[hex_proof.STOP] = self.searched + SLICE
                done += kernel(tables.board, self._swap, states[part], out[part], tables.work)
                tables.save_when_due()
                self.tell(self.searched)
        return out


class Tables:
    """The proofs and answers of one board size, loaded from `folder` and saved there now and then, and at exit."""

    def __init__(self, size: int, folder: pathlib.Path, proof_slots: int, answer_slots: int):
        self.board = hex_bits.make_board(size)
        self.work = hex_proof.make_work(proof_slots, answer_slots)
        self.lock = threading.RLock()
        self._path = folder / f"hex{size}.npz"
        self._label = f"isoelo hex{size} proofs and answers, format 2"
        self._saved_at, self._patience = time.monotonic(), SAVE_SECONDS
        self._damaged = not self._load() and os.path.exists(self._path)
        self._saved_rows = self._rows()
        atexit.register(self.save_when_due, patience=0.0)

    def _rows(self) -> int:
        """How many entries were ever new."""
        return int(self.work.proofs[-1, 2] + self.work.answers[-1, 2])

    def _load(self) -> bool:
        stored = store.load(self._path, self._label, ("proofs", "answers"))
        if stored is None:
            return False
        for name, rows in stored.items():
            if fault := find_fault(self.board, rows):
                store.ignore(self._path, f"{name}: {fault}")
                return False
        hex_table.load_rows(self.work.proofs, stored["proofs"])
        hex_table.load_rows(self.work.answers, stored["answers"])
        return True

    def save_when_due(self, patience: float | None = None) -> None:
        """Write the file if there is enough that is new and the last time was `patience` seconds ago."""
        if time.monotonic() - self._saved_at < (self._patience if patience is None else patience):
            return
        if self._damaged or self._rows() - self._saved_rows >= max(SAVE_ROWS, SAVE_NEW * self._saved_rows):
            self.save()

    def save(self) -> None:
        """Write the file. A folder that cannot be written is told once, then left alone."""
        begun = time.monotonic()
        with self.lock:
            arrays = {"proofs": hex_table.hardest_rows(self.work.proofs, STORED_ROWS),
                      "answers": hex_table.hardest_rows(self.work.answers, STORED_ROWS)}  # fmt: skip
            self._saved_rows, self._damaged = self._rows(), False
        written = store.save(self._path, self._label, arrays)
        self._saved_at = time.monotonic() if written else float("inf")
        self._patience = max(SAVE_SECONDS, (self._saved_at - begun) / SAVE_SHARE)


@functools.cache
def tables(size: int, folder: pathlib.Path, proof_slots: int, answer_slots: int) -> Tables:
    """The tables of a board size, one set per process, folder and memory."""
    return Tables(size, folder, proof_slots, answer_slots)


def find_fault(board: hex_bits.Board, rows: np.ndarray) -> str:
    """Why these are no rows of a table of this board; empty if they may be."""
    if rows.dtype != np.uint64 or rows.ndim != 2 or rows.shape[1] != 3 or len(rows) > STORED_ROWS:
        return f"{rows.dtype} {list(rows.shape)} is no table: expected uint64 [N <= {STORED_ROWS}, 3]"
    own, opp, entry = rows.T
    cells = entry & hex_table.CELLS
    if (own & opp).any() or ((own | opp) & ~board.full).any():
        return "it has positions that cannot be"
    if not (entry & hex_table.KNOWN).all() or (cells & ~(board.full & ~(own | opp))).any():
        return "it has answers that cannot be"
    return ""
