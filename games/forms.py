"""A game as a search sees it: four kernels over one position, and how positions are told apart.

    legal(state, params, mask)              as in a game's rules
    apply(state, params, action)            as in a game's rules
    key(state, params, words, planes)       uint64, equal for positions that are one to the search, never 0
    narrow(state, params, mask)             strike out actions that the value does not need; bounds (low, high) of it

`form_of(game)` makes one for any game from its rules. A game may have one of its own, with fewer words per position or
with knowledge in `narrow`: see `games/connect_four_solver.py`. What `narrow` leaves must contain a best action; both
bounds are for the player to move, and (-1, 1) says nothing.

Keys are sums of random words of 64 bits (A. Zobrist, Technical Report 88, University of Wisconsin, 1970), so two
different positions have the same key with probability 2^-63, and the answers of a search are proofs up to that.

Axes: B positions, S state words, E entries of the key, K symmetries.
"""

from __future__ import annotations

import functools
import typing
from typing import NamedTuple

import numba
import numpy as np

from games.core import Game, Rules, lean_kernel

HIGHEST = np.uint64(1 << 63)  # set in all keys, so that none is 0

SEED = 20261122  # of the random words; part of the name of stored results

_UNCACHED: dict = {"nogil": True, "error_model": "numpy", "_nrt": False}

searching = numba.njit(**_UNCACHED)
"""Decorator of kernels that close over a game's kernels. Never cached on disk (see games.core._batch)."""


class Form(NamedTuple):
    """The kernels of a game for one search, and their data."""

    legal: typing.Callable
    apply: typing.Callable
    key: typing.Callable
    narrow: typing.Callable
    params: np.ndarray  # int64, handed to all four
    words: np.ndarray  # uint64 [E, K], handed to key
    pack: typing.Callable  # states of the game [B, S] -> positions of this form, an array of their own [B, S']
    priority: np.ndarray  # int64 [A]: which actions to try first while nothing is known, the highest first


def form_of(game: Game, look_alike: bool = True, narrow: typing.Callable | None = None,
            priority: np.ndarray | None = None) -> Form:  # fmt: skip
    """The form of any game.

    Positions that look alike to their movers, up to the game's symmetries, are one. This is right where the planes
    tell all that decides the rest of the game, as the contract asks; `look_alike=False` keeps all states apart that
    differ in any word.
    """
    rng = np.random.default_rng(SEED)
    if look_alike:
        entries = int(np.prod(game.observation_shape))
        words = _turned(game, rng.integers(0, 1 << 64, entries, np.uint64))
    else:
        words = rng.integers(0, 1 << 64, (game.state_words, 1), np.uint64)
    key = _key_of_planes(game.rules) if look_alike else key_of_words
    urgency = np.zeros(game.num_actions, np.int64) if priority is None else priority
    return Form(game.rules.legal, game.rules.apply, key, narrow or know_nothing, game.params, words, np.array, urgency)


def _turned(game: Game, words: np.ndarray) -> np.ndarray:
    """words'[e, k]: the word that entry e of the planes has in the position turned by symmetry k, [E, K]."""
    planes = words.reshape(game.observation_shape[0], -1)
    turned = np.empty((*planes.shape, len(game.symmetries.cells)), np.uint64)
    for k, cells in enumerate(game.symmetries.cells):
        turned[:, cells, k] = planes
    return np.ascontiguousarray(turned.reshape(len(words), -1))


@functools.cache
def _key_of_planes(rules: Rules):
    observe = rules.observe

    @searching
    def key(state, params, words, planes):
        observe(state, params, planes)
        seen = planes.reshape(planes.size)
        least = ~np.uint64(0)
        for k in range(words.shape[1]):
            total = np.uint64(1)
            for e in range(len(seen)):
                if seen[e] == 1:
                    total += words[e, k]
                elif seen[e] != 0:
                    total += words[e, k] * np.uint64(np.int64(seen[e] * 1048576.0) * 2 + 1)
            if total < least:
                least = total
        return least | HIGHEST

    return key


@lean_kernel
def key_of_words(state, params, words, planes):
    """Tells apart all states that differ in any word."""
    total = np.uint64(1)
    for i in range(len(state)):
        x = (np.uint64(state[i]) + words[i, 0]) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
        total += x ^ (x >> np.uint64(32))
    return total | HIGHEST


@lean_kernel
def know_nothing(state, params, mask):
    return -1, 1
