"""Exact play of any game whose search comes to an end: values, moves and stored results over `games.alpha_beta`.

    def solver(game):                 # in games/mine_solver.py
        return Search(game)

Axes: B positions asked about; M pairs of a position and a legal action; A actions.
"""

from __future__ import annotations

import atexit
import hashlib
import inspect
import sys
import threading
import time
import typing

import numpy as np

from games import alpha_beta, exact_store, forms
from games.alpha_beta import HEIGHT, LOOKED, ROW
from games.core import OVER, RESULT, TO_MOVE, Game
from games.forms import Form, form_of
from games.solving import ILLEGAL, Exact, final_values

SLOTS = 1 << 22  # places of the table: 64 MB, taken as they fill
SLICE = 100_000  # positions looked at between two looks at the clock; Ctrl-C is heard then
STORED_ROWS = 1 << 19  # at most 8.4 MB on disk
SAVE_SECONDS = 20.0  # a file is not written more often, except at exit
SAVE_SHARE = 0.05  # of the time, at most, goes into writing files of large tables
SAVE_WORK = 100_000  # nor for fewer new positions
LONG = 20_000_000  # positions, ten seconds or more


class Search(Exact):
    """Exact play of one game by alpha-beta; may be called from several threads.

    `form` is how the game is searched (see games.forms). `tell(looked)` is called now and then while a search runs;
    unless another is put in its place, it says once that large boards take their time.
    """

    def __init__(self, game: Game, form: Form | None = None, slots: int = SLOTS):
        self.game = game
        self.tell: typing.Callable[[int], object] = patience(game)
        self._form = form or form_of(game)
        self._work = alpha_beta.make_work(self._form, game, slots)
        self._run = alpha_beta.search_of(*self._form[:4])
        self._lock = threading.RLock()
        self._store = Store(game, self._form, self._work)

    @property
    def searched(self) -> int:
        return int(self._work.tally[LOOKED])

    def values(self, states):
        states = np.asarray(states, self.game.state_dtype)
        out = final_values(states)
        rows = np.flatnonzero(states[:, OVER] == 0)
        if len(rows):
            out[rows] = self._values(self._form.pack(states[rows]))
        return out

    def action_values(self, states):
        states = np.asarray(states, self.game.state_dtype)
        out = np.full((len(states), self.game.num_actions), ILLEGAL, np.int8)
        rows, actions, children = self._children(states)
        out[rows, actions] = seen_from(states[rows], children, self.values(children))
        return out

    def perfect_moves(self, states):
        states = np.asarray(states, self.game.state_dtype)
        values = self.action_values(states)
        best = values.max(axis=1)
        moves = (values == best[:, None]) & (values != ILLEGAL)
        lost = np.flatnonzero(best == -1)
        if len(lost):
            rows, actions, children = self._children(states[lost])
            left = np.full((len(lost), self.game.num_actions), np.inf)
            left[rows, actions] = self._winning_replies(states[lost][rows], children)
            moves[lost] = left == left.min(axis=1, keepdims=True)
        return moves

    def _winning_replies(self, parents, children):
        """How many winning moves lost moves leave the opponent; more than any other where they end the game, [M].

        Where the same player moves again, the fewest he can leave then.
        """
        left = np.full(len(children), self.game.num_actions + 1)
        running = np.flatnonzero(children[:, OVER] == 0)
        again = children[running, TO_MOVE] == parents[running, TO_MOVE]
        replies = running[~again]
        left[replies] = (self.action_values(children[replies]) == 1).sum(axis=1)
        for row in running[again]:
            _, _, further = self._children(children[row : row + 1])
            left[row] = self._winning_replies(children[[row] * len(further)], further).min()
        return left

    def _children(self, states):
        """Rows [M], actions [M] and the positions they lead to [M, S]."""
        rows, actions = np.nonzero(self.game.legal(states))
        children = states[rows]
        self.game.advance(children, actions)
        return rows, actions, children

    def _values(self, positions):
        values = np.where(self._at_least(positions, 1), 1, -1).astype(np.int8)
        rows = np.flatnonzero(values == -1)
        if self.game.can_draw and len(rows):
            values[rows] = np.where(self._at_least(positions[rows], 0), 0, -1)
        return values

    def _at_least(self, positions, threshold):
        """Whether the players to move can get `threshold`, bool [B]."""
        answers, thresholds = np.zeros(len(positions), np.int64), np.full(len(positions), threshold)
        work, form = self._work, self._form
        with self._lock:
            work.tally[[ROW, HEIGHT]] = 0
            while work.tally[ROW] < len(positions):
                self._run(work, form.params, form.words, positions, thresholds, answers, SLICE)
                self._store.save_when_due()
                self.tell(self.searched)
        return answers == alpha_beta.YES

    def save(self) -> None:
        """Store what is known, to be there at the next start."""
        with self._lock:
            self._store.save()


def patience(game: Game) -> typing.Callable[[int], None]:
    """Says once, on standard error, why answers keep one waiting: after LONG positions."""
    told = False

    def tell(looked):
        nonlocal told
        if looked >= LONG and not told:
            told = True
            print(f"{game.title}: perfect play searches openings to the end of the game, seconds each, a minute or two "
                  f"in all; what it finds is kept in {exact_store.folder()}", file=sys.stderr)  # fmt: skip

    return tell


def seen_from(parents: np.ndarray, children: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values of positions, given for their own movers, as the players who moved there see them, int8 [M].

    In a finished game it does not matter who is to move, so the result itself is read.
    """
    results = children[:, RESULT] * (1 - 2 * parents[:, TO_MOVE])
    running = np.where(children[:, TO_MOVE] == parents[:, TO_MOVE], values, -values)
    return np.where(children[:, OVER] != 0, results, running).astype(np.int8)


class Store:
    """The stored table of one game: loaded at the start, saved now and then and at exit."""

    def __init__(self, game: Game, form: Form, work: alpha_beta.Work):
        self._work = work
        self._path = exact_store.folder() / f"search-{game.title}.npz"
        self._label = f"isoelo {game.title} search, format 1, seed {forms.SEED}, rules {_digest(game, form)}"
        self._saved_at, self._patience = time.monotonic(), SAVE_SECONDS
        self._saved_work = int(work.tally[LOOKED])
        self._damaged = not self._load() and self._path.exists()
        atexit.register(self.save_when_due, patience=0.0)

    def _load(self) -> bool:
        stored = exact_store.load(self._path, self._label, ("table",))
        if stored is None:
            return False
        rows = stored["table"]
        if fault := find_fault(rows):
            exact_store.ignore(self._path, fault)
            return False
        alpha_beta.load_rows(self._work.table, rows)
        return True

    def save_when_due(self, patience: float | None = None) -> None:
        """Write the file if enough is new and the last time was `patience` seconds ago."""
        if time.monotonic() - self._saved_at < (self._patience if patience is None else patience):
            return
        if self._damaged or self._work.tally[LOOKED] - self._saved_work >= SAVE_WORK:
            self.save()

    def save(self) -> None:
        """Write the file. A folder that cannot be written is told once, then left alone."""
        self._saved_work, self._damaged, begun = int(self._work.tally[LOOKED]), False, time.monotonic()
        written = exact_store.save(self._path, self._label, {"table": hardest_rows(self._work.table)})
        self._saved_at = time.monotonic() if written else float("inf")
        self._patience = max(SAVE_SECONDS, (self._saved_at - begun) / SAVE_SHARE)


def _digest(game: Game, form: Form) -> str:
    """Of the rules, the settings and what is known beside them: results of other rules are none of this game."""
    digest = hashlib.sha256(repr((sorted(game.settings.items()), game.params.tolist())).encode())
    for file in sources(game, form):
        with open(file, "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()[:16]


def sources(game: Game, form: Form) -> list[str]:
    """The files of the game, of its form's kernels, and of the kernels that stand beside those."""
    kernels: list[typing.Any] = [kernel.py_func for kernel in form[:4]]  # type: ignore[attr-defined]
    beside = [value.py_func for kernel in kernels for value in vars(inspect.getmodule(kernel)).values()
              if hasattr(value, "py_func")]  # fmt: skip
    return sorted(filter(None, {inspect.getsourcefile(each) for each in (type(game), *kernels, *beside)}))


def hardest_rows(table: np.ndarray) -> np.ndarray:
    """The rows [N, 2] of a table that took most work, at most STORED_ROWS."""
    rows = table[table[:, 1] != 0]
    if len(rows) > STORED_ROWS:
        rows = rows[np.argpartition(rows[:, 1], len(rows) - STORED_ROWS)[-STORED_ROWS:]]
    return rows


def find_fault(rows: np.ndarray) -> str:
    """Why these are no rows of a table; empty if they may be."""
    if rows.dtype != np.uint64 or rows.ndim != 2 or rows.shape[1] != 2 or len(rows) > STORED_ROWS:
        return f"{rows.dtype} {list(rows.shape)} is no table: expected uint64 [N <= {STORED_ROWS}, 2]"
    known = rows[:, 1] & np.uint64(15)
    if not np.isin(known, (1, 2, 4, 5, 8, 9, 6, 10)).all() or (known == 9).any() or not rows[:, 0].all():
        return "it has answers that cannot be"
    return ""
