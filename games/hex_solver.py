"""Exact play of Hex up to 6 x 6: batches of answers from proofs, with results kept on disk.

`solver(game)` is what `games.exact` looks for. Boards of one size share their tables within a process, with and
without the swap rule.
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
PROOF_SLOTS, ANSWER_SLOTS = 1 << 22, 1 << 21  # at most 100 MB and 50 MB of memory, taken as they fill
STORED_ROWS = 1 << 19  # per table: at most 12.6 MB each on disk
SAVE_SECONDS = 20.0  # a file is not written more often, except at exit
SAVE_ROWS, SAVE_SHARE = 2000, 0.1  # nor for less that is new, in rows and as a share of what it holds
SLICE = 1000  # rows per kernel call: Ctrl-C is seen between calls


def solver(game: Game) -> HexExact:
    """Exact play of a Hex game. Raises GameError beyond 6 x 6."""
    return HexExact(game)


class HexExact(Exact):
    """Exact play of one Hex game, with or without swap; may be called from several threads."""

    def __init__(self, game: Game):
        if game.settings.get("rows") is not None:
            raise GameError(f"exact play of Hex is of square boards, not {game.title}: choose rows = columns, or rate "
                            f"the agents without a perfect player")  # fmt: skip
        if not 2 <= game.size <= LARGEST:
            raise GameError(
                f"exact play of Hex goes from size 2 to {LARGEST}, not {game.size}: choose game.size={LARGEST} or "
                f"less, or rate the agents without a perfect player"
            )
        self.game = game
        self._swap = bool(game.settings["swap"])
        self._tables = tables(game.size, store.folder())

    @property
    def searched(self) -> int:
        return int(self._tables.work.tally[0])

    def values(self, states):
        return self._fill(hex_answers.fill_values, states, np.zeros(len(states), np.int8))

    def action_values(self, states):
        out = np.full((len(states), self.game.num_actions), ILLEGAL, np.int8)
        return self._fill(hex_answers.fill_action_values, states, out)

    def perfect_moves(self, states):
        out = np.zeros((len(states), self.game.num_actions), np.int8)
        return self._fill(hex_answers.fill_perfect_moves, states, out).view(np.bool_)

    def _fill(self, kernel, states, out):
        states = np.ascontiguousarray(states, self.game.state_dtype)
        for begin in range(0, len(states), SLICE):
            part = slice(begin, begin + SLICE)
            with self._tables.lock:
                kernel(self._tables.board, self._swap, states[part], out[part], self._tables.work)
        self._tables.save_when_due()
        return out


class Tables:
    """The proofs and answers of one board size, loaded from `folder` and saved there now and then, and at exit."""

    def __init__(self, size: int, folder: pathlib.Path):
        self.board = hex_bits.make_board(size)
        self.work = hex_proof.make_work(PROOF_SLOTS, ANSWER_SLOTS)
        self.lock = threading.Lock()
        self._path = folder / f"hex{size}.npz"
        self._label = f"isoelo hex{size} proofs and answers, format 1"
        self._saved_at = time.monotonic()
        self._damaged = not self._load() and os.path.exists(self._path)
        self._saved_rows = self._rows()
        atexit.register(self.save_when_due, patience=0.0)

    def _rows(self) -> int:
        return int(self.work.proofs[-1, 1] + self.work.answers[-1, 1])

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

    def save_when_due(self, patience: float = SAVE_SECONDS) -> None:
        """Write the file if there is enough that is new and the last time was `patience` seconds ago.

        A table that was full and began anew is not written before it holds more than the file.
        """
        if time.monotonic() - self._saved_at < patience:
            return
        if self._damaged or self._rows() - self._saved_rows >= max(SAVE_ROWS, SAVE_SHARE * self._saved_rows):
            self.save()

    def save(self) -> None:
        """Write the file. A folder that cannot be written is told once, then left alone."""
        with self.lock:
            arrays = {"proofs": early_rows(self.work.proofs), "answers": early_rows(self.work.answers)}
        self._saved_rows = self._rows()
        self._saved_at, self._damaged = time.monotonic(), False
        if not store.save(self._path, self._label, arrays):
            self._saved_at = float("inf")


@functools.cache
def tables(size: int, folder: pathlib.Path) -> Tables:
    """The tables of a board size, one set per process and folder."""
    return Tables(size, folder)


def early_rows(table: np.ndarray) -> np.ndarray:
    """The table's rows [N, 3], those with the fewest stones first if there are more than STORED_ROWS.

    They took longest to prove and are met most often.
    """
    rows = table[: int(table[-1, 0])]
    rows = rows[rows[:, 2] != 0]
    if len(rows) > STORED_ROWS:
        stones = np.bitwise_count(rows[:, 0] | rows[:, 1])
        rows = rows[np.argsort(stones, kind="stable")[:STORED_ROWS]]
    return rows


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
