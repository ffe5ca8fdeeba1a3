"""Exact play of small games by enumeration: every reachable position, then values from the end backwards.

Knows nothing of the rules beyond the contract, so it serves any small game and is the independent twin of the Hex
solver on small boards.

Axes: N positions, in layers by the number of moves played; M pairs of a position and a legal action; A actions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from games.core import OVER, RESULT, TO_MOVE, Game, GameError
from games.solving import ILLEGAL, Exact, final_values

MOST_POSITIONS = 1_000_000
"""Games with more reachable positions are refused."""

SLICE, SLICE_WORDS = 400_000, 10_000_000  # children made at a time where a layer may have too many; their words


class Graph(NamedTuple):
    """Reachable positions and what each action leads to. One met after different numbers of moves stands twice."""

    states: np.ndarray  # [N, S], layer by layer
    rows: np.ndarray  # int64 [M], rising
    actions: np.ndarray  # int64 [M]
    children: np.ndarray  # int64 [M]: row of the position reached
    layers: np.ndarray  # int64 [L + 1]: where the pairs of each layer begin


class Enumeration(Exact):
    """Exact play of `game` from a table of all its positions.

    Raises GameError if there are more than `most`, or if a game runs longer than its `max_length`.
    """

    def __init__(self, game: Game, most: int = MOST_POSITIONS):
        self.game = game
        self.graph = expand(game, most)
        self._order = np.argsort(_keys(self.graph.states))
        self._sorted = _keys(self.graph.states)[self._order]
        self._solve()

    @property
    def searched(self) -> int:
        return len(self.graph.states)

    def values(self, states):
        return self._values[self._find(states)]

    def action_values(self, states):
        return self._action_values[self._find(states)]

    def perfect_moves(self, states):
        return self._perfect[self._find(states)]

    def _find(self, states: np.ndarray) -> np.ndarray:
        """Rows of the positions; raises GameError for one that no game reaches."""
        keys = _keys(np.asarray(states, self.game.state_dtype))
        places = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        missing = np.flatnonzero(self._sorted[places] != keys)
        if len(missing):
            board = self.game.draw(states[missing[0]])
            raise GameError(f"{self.game.title}: no game reaches this position, so it has not been solved:\n{board}")
        return self._order[places]

    def _solve(self) -> None:
        graph, width = self.graph, self.game.num_actions
        count = len(graph.states)
        movers = graph.states[:, TO_MOVE]
        self._values = final_values(graph.states)
        self._action_values = np.full((count, width), ILLEGAL, np.int8)
        self._perfect = np.zeros((count, width), np.bool_)
        # How many winning moves the player to move has, and how few a lost player can leave the other; a move that
        # ends the game as a loss leaves more than any other.
        wins = np.where(graph.states[:, OVER] != 0, width + 1, 0)
        fewest = wins.copy()
        for begin, end in zip(graph.layers[-2::-1], graph.layers[:0:-1], strict=True):
            if begin == end:
                continue
            rows, actions, children = graph.rows[begin:end], graph.actions[begin:end], graph.children[begin:end]
            layer, starts = np.unique(rows, return_index=True)
            again = movers[children] == movers[rows]
            pair_values = np.where(again, self._values[children], -self._values[children])
            pair_values = np.where(graph.states[children, OVER] != 0, _seen(graph.states, rows, children), pair_values)
            self._action_values[rows, actions] = pair_values
            self._values[layer] = np.maximum.reduceat(pair_values, starts)
            wins[layer] = np.add.reduceat((pair_values == 1).astype(np.int64), starts)
            left = np.where(again & (graph.states[children, OVER] == 0), fewest[children], wins[children])
            fewest[layer] = np.minimum.reduceat(left, starts)
            value = self._values[rows]
            self._perfect[rows, actions] = (pair_values == value) & ((value != -1) | (left == fewest[rows]))


def _seen(states: np.ndarray, rows: np.ndarray, children: np.ndarray) -> np.ndarray:
    """Results of finished children as the player who moved there from `rows` sees them."""
    return (states[children, RESULT] * (1 - 2 * states[rows, TO_MOVE])).astype(np.int8)


def _keys(states: np.ndarray) -> np.ndarray:
    """Each position's bytes as one sortable item, [B]."""
    states = np.ascontiguousarray(states)
    return states.view(np.dtype((np.void, states.dtype.itemsize * states.shape[1])))[:, 0]


def expand(game: Game, most: int) -> Graph:
    """All positions that play from the initial one reaches.

    Raises GameError if there are more than `most`, or if a game runs longer than its `max_length`.
    """
    layers = [game.reset(1)]
    pairs: list[tuple] = []
    total = 1
    while True:
        parents = layers[-1]
        legal = game.legal(parents)
        if not legal.any():
            break
        _check_ahead(game, parents, legal, total, most, len(pairs))
        rows, actions = np.nonzero(legal)
        children = parents[rows]
        game.advance(children, actions)
        _, first, inverse = np.unique(_keys(children), return_index=True, return_inverse=True)
        pairs.append((rows + total - len(parents), actions, inverse + total))
        layers.append(children[first])
        total += len(first)
        _check_size(game, total, most, len(pairs))
    starts = np.cumsum([0, *(len(rows) for rows, _, _ in pairs)])
    empty = np.zeros(0, np.int64)
    merged = [np.concatenate([empty, *column]) for column in zip(*pairs, strict=True)] if pairs else [empty] * 3
    return Graph(np.concatenate(layers), merged[0], merged[1], merged[2], starts)


def _check_ahead(game, parents, legal, total, most, moves):
    """Raise GameError if the children of a layer are too many, before all are made or even listed.

    Different 64-bit sums of their words are different positions.
    """
    pairs = np.cumsum(np.count_nonzero(legal, axis=1))  # with the parents up to each
    if pairs[-1] <= most:
        return
    weights = np.random.default_rng(0).integers(1, 2**64, parents.shape[1], np.uint64)
    sums, at_once = np.zeros(0, np.uint64), min(SLICE, 1 + SLICE_WORDS // parents.shape[1])
    for part in np.split(np.arange(len(parents)), np.searchsorted(pairs, np.arange(at_once, pairs[-1], at_once))):
        rows, actions = np.nonzero(legal[part])
        children = parents[part[rows]]
        game.advance(children, actions)
        sums = np.unique(np.concatenate([sums, children.astype(np.uint64) @ weights]))
        _check_size(game, total + len(sums), most, moves)


def _check_size(game: Game, total: int, most: int, moves: int) -> None:
    if total > most:
        raise GameError(
            f"{game.title} is too large to be solved by enumeration: more than {most:,} positions within {moves} "
            f"moves; choose a smaller size, or write a module {type(game).__module__}_solver that defines solver(game)"
        )
    if moves > game.max_length:
        raise GameError(
            f"{game.title} runs on after its max_length of {game.max_length} moves: correct the declared fact, or the "
            f"rules if they allow endless games"
        )
