"""The contract between a game and everything else.

A game is one file. It holds four functions over ONE position, written as plain loops over an integer array, and a
subclass of `Game` with the declared facts. Numba compiles the four functions; this module runs them over batches.

    reset(state, params)             write the initial position into `state`
    legal(state, params, mask)       mask[a] = may the player to move choose action a; all False once the game is over
    apply(state, params, action)     play a legal action, in place
    observe(state, params, planes)   write the position as the player to move sees it, float32 [P, H, W]

`state` is an integer array of `state_words` words; its first three are common to all games:

    state[TO_MOVE]   the player to move, 0 or 1 (who does not matter once the game is over)
    state[OVER]      1 once the game has ended, else 0
    state[RESULT]    +1, 0 or -1 for player 0 once the game has ended, else 0

`params` is an integer array chosen by the game (its size, its variant), so that one compiled kernel serves all sizes.
The four functions may call helpers of their own file and nothing else: for a game outside this repository, numba's
cache notices changes of that file only.

Array axes: B positions, S state words, A actions, P planes, H x W board.
"""

from __future__ import annotations

import functools
import re
import typing
from typing import ClassVar, NamedTuple

import numba
import numpy as np

from games import compiling, registry

compiling.use_cache_of_this_source()

TO_MOVE, OVER, RESULT = 0, 1, 2
HEADER = 3

kernel = numba.njit(cache=True, nogil=True, error_model="numpy")
"""Decorator of the four rule functions and their helpers."""

_LEAN: dict = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}

lean_kernel = numba.njit(**_LEAN)
"""For functions that allocate nothing and assign to no slices: they do not count references to the arrays they are
given, which takes longer than the work of a short function (NRT_incref and its lock)."""


inlined_kernel = numba.njit(**_LEAN, inline="always")
"""A lean kernel whose arguments are many arrays: handing them over, as copies of shape and strides, takes time too."""


class GameError(ValueError):
    """A game, setting, action or text that cannot be; the message names value, expectation and remedy."""


class Rules(NamedTuple):
    """The four kernels of a game, each over one position (see the module's docstring)."""

    reset: typing.Callable
    legal: typing.Callable
    apply: typing.Callable
    observe: typing.Callable


class Symmetries(NamedTuple):
    """Board symmetries in the mover's frame; row 0 is the identity.

    The position transformed by symmetry k has planes'[:, j] = planes[:, cells[k, j]] (board flattened) and
    policy'[j] = policy[actions[k, j]].
    """

    actions: np.ndarray  # int64 [K, A]
    cells: np.ndarray  # int64 [K, H * W]


class ActionLayout(NamedTuple):
    """How actions lie on the board in the mover's frame, for networks that know the board's geometry.

    Action a is entry `entries[a]` of a row of numbers: `per_cell` planes of H * W numbers, row by row, then
    `per_column` rows of W numbers, then `per_board` single ones (a pass, a swap). The three counts are the same at
    every size.
    """

    per_cell: int
    per_column: int
    per_board: int
    entries: np.ndarray  # int64 [A]


class Game:
    """Rules at a size. Subclasses declare the facts below in `__init__` and draw and parse positions.

    Everything here works on batches: `states` is [B, S], `actions` int64 [B], `mask` bool [B, A].
    """

    name: str
    rules: ClassVar[Rules]
    state_dtype: ClassVar[type] = np.int16
    can_draw: ClassVar[bool] = False
    size_settings: ClassVar[tuple[str, ...]] = ("size", "rows", "columns")
    """Settings that change the board and no rule: a network that fits boards of all sizes plays all their values."""

    settings: dict[str, int | bool | str]  # what `make(name, **settings)` was called with, defaults included
    size: int  # the number that orders the sizes of a game in tables and fits
    params: np.ndarray  # int64, handed to the four kernels
    state_words: int
    num_actions: int
    observation_shape: tuple[int, int, int]  # P, H, W
    max_length: int  # no game has more moves
    symmetries: Symmetries
    views: np.ndarray  # int64 [2, A]: what player p sees as action j is action views[p, j]
    layout: ActionLayout | None  # None: not known; one action per cell (and one more) or per column needs no word

    def __init__(self, *, settings: dict, size: int, params: typing.Sequence[int], state_words: int, num_actions: int,
                 observation_shape: tuple[int, int, int], max_length: int, symmetries: Symmetries | None = None,
                 views: np.ndarray | None = None, layout: ActionLayout | None = None):  # fmt: skip
        self.settings = settings
        self.size = size
        self.params = np.array(params, np.int64)
        self.state_words = state_words
        self.num_actions = num_actions
        self.observation_shape = observation_shape
        self.max_length = max_length
        cells = observation_shape[1] * observation_shape[2]
        self.symmetries = symmetries or Symmetries(np.arange(num_actions)[None], np.arange(cells)[None])
        self.views = np.stack([np.arange(num_actions)] * 2) if views is None else views
        self.layout = layout or self._plain_layout()

    def _plain_layout(self) -> ActionLayout | None:
        """That of games whose actions are the cells, the cells and one more, or the columns, in their order."""
        _, rows, columns = self.observation_shape
        counts = {columns: (0, 1, 0), rows * columns: (1, 0, 0), rows * columns + 1: (1, 0, 1)}.get(self.num_actions)
        return counts and ActionLayout(*counts, np.arange(self.num_actions))

    @property
    def title(self) -> str:
        """Short name with the settings that matter: `hex5`, `hex5-swap`."""
        return f"{self.name}{self.size}"

    @property
    def openspiel_id(self) -> str | None:
        """The same game in OpenSpiel, as `pyspiel.load_game` takes it, such as "hex(board_size=5,swap=False)".

        Same means: the same initial position, turns, legal moves, ends and winners, move by move, with the actions
        numbered as `openspiel_actions` says. OpenSpiel's players can then meet ours (agents/strategies/) and ours
        enter OpenSpiel (agents/openspiel_bot.py). None where there is no such game or a setting has no counterpart.
        """
        return None

    @property
    def openspiel_actions(self) -> np.ndarray:
        """OpenSpiel's number of each action, int64 [A]; the same numbers unless a game says otherwise.

        int64 [A, N] where its numbers tell more than ours, such as who moves: of the N numbers of an action one is
        legal in a position.
        """
        return np.arange(self.num_actions)

    # ---- batches ---------------------------------------------------------------------------------------------------

    @property
    def compiled(self) -> bool:
        """Whether the kernels play batches; a class may have other ways, as that of OpenSpiel's games."""
        return type(self).step is Game.step

    def reset(self, count: int) -> np.ndarray:
        """`count` initial positions, [B, S]."""
        states: np.ndarray = np.zeros((count, self.state_words), self.state_dtype)
        _batch(self.rules).reset(states, self.params)
        return states

    def step(self, states: np.ndarray, actions: np.ndarray, legal: np.ndarray, planes: np.ndarray) -> None:
        """Play `actions` in place; write the new positions' masks to `legal` [B, A] and views to `planes` [B, P, H, W].

        Actions are trusted: checking them is for `play`.
        """
        _batch(self.rules).step(states, self.params, actions, legal, planes)

    def step_at(self, states: np.ndarray, rows: np.ndarray, nodes: np.ndarray, actions: np.ndarray, legal: np.ndarray,
                planes: np.ndarray) -> None:  # fmt: skip
        """`step` for positions that lie in a search's trees: states[nodes[i], rows[i]] of [N, B, S], in place."""
        if self.compiled:
            _batch(self.rules).step_at(states, self.params, rows, nodes, actions, legal, planes)
        else:
            chosen = states[nodes, rows]
            self.step(chosen, actions, legal, planes)
            states[nodes, rows] = chosen

    def advance(self, states: np.ndarray, actions: np.ndarray) -> None:
        """Play `actions` in place, trusted, without masks and views."""
        _batch(self.rules).advance(states, self.params, actions)

    def legal(self, states: np.ndarray) -> np.ndarray:
        """Legal actions, bool [B, A]."""
        mask = np.zeros((len(states), self.num_actions), np.bool_)
        _batch(self.rules).legal(states, self.params, mask)
        return mask

    def pick(self, states: np.ndarray, fractions: np.ndarray) -> np.ndarray:
        """One legal action of each position, int64 [B]: of n, in the order of their numbers, that at int(fraction * n).

        All are equally likely where `fractions` [B] are uniform in [0, 1). -1 where there are none.
        """
        actions = np.empty(len(states), np.int64)
        _pick(self.legal(states), fractions, actions)
        return actions

    def observe(self, states: np.ndarray) -> np.ndarray:
        """What the players to move see, float32 [B, P, H, W]."""
        planes = np.zeros((len(states), *self.observation_shape), np.float32)
        _batch(self.rules).observe(states, self.params, planes)
        return planes

    def to_move(self, states: np.ndarray) -> np.ndarray:
        """Player to move, 0 or 1, [B]."""
        return states[:, TO_MOVE]

    def over(self, states: np.ndarray) -> np.ndarray:
        """Whether the games have ended, bool [B]."""
        return states[:, OVER] != 0

    def result(self, states: np.ndarray) -> np.ndarray:
        """+1, 0, -1 for player 0 where the game has ended, else 0, [B]."""
        return states[:, RESULT]

    # ---- one position, checked -------------------------------------------------------------------------------------

    def play(self, state: np.ndarray, *actions: int) -> np.ndarray:
        """The position after `actions` from one position [S]; a copy.

        Raises GameError for an illegal action or a move after the end.
        """
        states = state[None].copy()
        for action in actions:
            mask = self.legal(states)[0]
            if not (0 <= action < self.num_actions) or not mask[action]:
                what = "the game is over" if self.over(states)[0] else f"legal are {np.flatnonzero(mask).tolist()}"
                raise GameError(f"action {action} is not legal in {self.title} here: {what}\n{self.draw(states[0])}")
            self.advance(states, np.array([action]))
        return states[0]

    def draw(self, state: np.ndarray) -> str:
        """One position as text that `parse` reads back."""
        raise NotImplementedError

    def parse(self, text: str) -> np.ndarray:
        """The position [S] that `draw` wrote. Raises GameError for text that is no position of this game."""
        raise NotImplementedError

    def action_text(self, action: int) -> str:
        """An action as people write it."""
        return str(action)

    def move_text(self, state: np.ndarray, action: int) -> str:
        """An action as people write it in one position [S], without blanks; `action_text` unless a game says more."""
        return self.action_text(action)


# ---- finding games -------------------------------------------------------------------------------------------------


def game_class(name: str) -> type[Game]:
    """The Game subclass called `name`: the file `games/NAME.py`, or `package.module:Class` anywhere else.

    Raises GameError if there is none.
    """
    return registry.find(name, "games", Game, GameError)


def make(name: str, **settings) -> Game:
    """Build a game: `make("hex", size=5)`.

    Raises GameError for an unknown game, an unknown setting or an impossible value.
    """
    cls = game_class(name)
    registry.check_settings(f"game {name!r}", cls, settings, GameError)
    try:
        game = cls(**settings)
    except GameError:
        raise
    except Exception as error:
        given = ", ".join(f"{key}={value}" for key, value in settings.items()) or "its defaults"
        raise GameError(f"game {name!r} cannot be built with {given}: {registry.told(error)}") from error
    if missing := [fact for fact in ("name", "rules", "settings", "num_actions", "title") if not hasattr(game, fact)]:
        raise GameError(f"game {name!r} does not declare {', '.join(missing)}: expected name and rules in the class, "
                        "the others by super().__init__, as in docs/adding_a_game.md")  # fmt: skip
    return game


def parse_settings(texts: typing.Iterable[str]) -> dict[str, int | bool | str]:
    """Settings from a command line: `size=5`, `swap=true`. Raises GameError for anything else."""
    settings: dict[str, int | bool | str] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if not key.isidentifier() or not value:
            raise GameError(f"{text!r} is no setting: expected key=value, such as size=5")
        if key in settings:
            raise GameError(f"{key} is given twice, {settings[key]} and {value}: expected one value")
        if value.lower() in ("true", "false"):
            settings[key] = value.lower() == "true"
        else:
            settings[key] = int(value) if re.fullmatch("-?[0-9]{1,18}", value) else value
    return settings


def int_setting(game: str, key: str, value, low: int, high: int) -> int:
    """`value` as an integer in [low, high]; raises GameError naming game, key and range."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise GameError(f"{game}: {key}={value!r} cannot be: expected an integer from {low} to {high}")
    return int(value)


@lean_kernel
def _pick(masks, fractions, actions):
    for b in range(len(masks)):
        count = 0
        for action in range(masks.shape[1]):
            count += masks[b, action]
        before = int(fractions[b] * count)
        actions[b] = -1
        for action in range(masks.shape[1]):
            if masks[b, action]:
                if before == 0:
                    actions[b] = action
                    break
                before -= 1


# ---- batch kernels -------------------------------------------------------------------------------------------------


class _Batch(NamedTuple):
    reset: typing.Callable
    step: typing.Callable
    step_at: typing.Callable
    advance: typing.Callable
    legal: typing.Callable
    observe: typing.Callable


def _counts_references(rule: typing.Callable) -> bool:
    return getattr(rule, "targetoptions", {}).get("_nrt", True)


@functools.cache
def _batch(rules: Rules) -> _Batch:
    """The kernels of a game over batches, compiled once per process.

    They close over the game's functions, which makes calling them quick; passing the functions as arguments costs 10 us
    each and call. They must not be cached on disk: numba's cache does not tell two games' functions apart.
    """
    reset_one, legal_one, apply_one, observe_one = rules

    def batch_kernel(*called):
        """Lean if all that it calls are."""
        flags: dict = {"nogil": True, "_nrt": any(map(_counts_references, called))}
        return numba.njit(**flags)

    @batch_kernel(reset_one)
    def reset(states, params):
        for b in range(len(states)):
            reset_one(states[b], params)

    @batch_kernel(apply_one, legal_one, observe_one)
    def step(states, params, actions, masks, planes):
        for b in range(len(states)):
            apply_one(states[b], params, actions[b])
            legal_one(states[b], params, masks[b])
            observe_one(states[b], params, planes[b])

    @batch_kernel(apply_one, legal_one, observe_one)
    def step_at(states, params, rows, nodes, actions, masks, planes):
        for i in range(len(rows)):
            state = states[nodes[i], rows[i]]
            apply_one(state, params, actions[i])
            legal_one(state, params, masks[i])
            observe_one(state, params, planes[i])

    @batch_kernel(apply_one)
    def advance(states, params, actions):
        for b in range(len(states)):
            apply_one(states[b], params, actions[b])

    @batch_kernel(legal_one)
    def legal(states, params, masks):
        for b in range(len(states)):
            legal_one(states[b], params, masks[b])

    @batch_kernel(observe_one)
    def observe(states, params, planes):
        for b in range(len(states)):
            observe_one(states[b], params, planes[b])

    return _Batch(reset, step, step_at, advance, legal, observe)
