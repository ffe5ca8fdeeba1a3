"""The search: one simulation is descend, step, evaluate, expand and back up, for a whole batch at once.

Trees whose leaf is terminal cost no evaluation: they are backed up and descend again before the network is called, so
that each of its batches is full of positions that need evaluating. A row's search never depends on the other rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil

from games.core import Game
from mcts.reuse import follow
from mcts.root import over_symmetries
from mcts.rule import Rule, root
from mcts.sweep import Group, Leaves, add_roots, receive
from mcts.tree import Tree, allocate, bytes_per_tree, clear_unused

_ALWAYS_FREE = 2**28  # bytes that trees may take without a look at what is free

Evaluator = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Planes float32 [B, P, H, W] -> logits float32 [B, A] over the actions as the mover sees them (`Game.views`), and the
value float32 [B] for the player to move. Illegal actions are masked here, when a node is expanded. The planes are lent
for the call: the search writes the next ones to the same memory.

An evaluator on another device may have a method `submit(planes)` that begins the same work and returns a function that
waits for the answer: then half of the trees descend while the other half is evaluated."""


def search(
    game: Game,
    states: np.ndarray,
    evaluate: Evaluator,
    budgets: np.ndarray | int,
    rule: Rule,
    streams: np.ndarray | None = None,
    leaves: int = 1,
) -> Search:
    """Search every position of `states` [B, S] with `budgets` simulations (one number or [B]), the root's the first.

    `streams` uint64 [B] are needed where the rule draws numbers, and are advanced in place. `leaves` > 1 evaluates so
    many positions of each tree together, which is for few trees on fast devices (see `Search.run`).
    Raises ValueError for a finished position, a budget below 1 or beyond memory, or missing streams.
    """
    budgets = np.broadcast_to(np.asarray(budgets), (len(states),))
    begun = Search(game, states, rule, int(budgets.max(initial=1)))
    begun.run(evaluate, budgets, streams, leaves)
    return begun


class Search:
    """The trees of B positions, and going on with them."""

    def __init__(self, game: Game, states: np.ndarray, rule: Rule, nodes: int):
        """Room for `nodes` simulations a tree. Raises ValueError for a finished position or too many nodes."""
        _check(game, states, nodes)
        self.game, self.rule = game, rule
        self.tree: Tree = allocate(states, nodes, game.num_actions)
        self.averaging = np.zeros(len(states), np.int32)  # evaluations of each root beyond its first
        self.numbers: Any = None

    # ---- what was found --------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """The live arrays by name, for a search that is to be taken up again; `nodes` as bytes.

        The names change with the arrays' layout, so that what was stored in another one is refused.
        """
        clear_unused(self.tree)
        arrays = {f"trees.{name}": array for name, array in self.tree._asdict().items()}
        arrays["trees.nodes"] = self.tree.nodes.view(np.uint8)
        return arrays

    @property
    def simulations(self) -> np.ndarray:
        """Simulations in each tree, int32 [B], the root's expansion being the first."""
        return np.where(self.tree.num_nodes > 0, self.tree.nodes["visits"][:, 0], 0)

    @property
    def evaluations(self) -> np.ndarray:
        """Network evaluations spent, int32 [B]."""
        return self.tree.evaluations

    @property
    def root_prior(self) -> np.ndarray:
        """The roots' priors, noise included, float32 [B, A]."""
        return self.tree.root_prior

    @property
    def root_value(self) -> np.ndarray:
        """Mean value of the root's simulations for its player to move, float32 [B]; the exact one where proven."""
        nodes = self.tree.nodes
        return nodes["value_sum"][:, 0] / np.maximum(nodes["visits"][:, 0], 1).astype(np.float32)

    @property
    def root_visits(self) -> np.ndarray:
        """Visits of the root's actions, int32 [B, A]."""
        return root(self.tree).visits

    def policy(self) -> np.ndarray:
        """What the rule recommends, float32 [B, A]."""
        return self.rule.policy(self.tree, self.numbers)

    def choose(self) -> np.ndarray:
        """The rule's move at test time, int64 [B]."""
        return self.rule.choose(self.tree, self.numbers)

    def explore(self, streams: np.ndarray) -> np.ndarray:
        """The rule's move in self-play, int64 [B]; advances `streams`."""
        return self.rule.explore(self.tree, self.numbers, streams)

    # ---- going on --------------------------------------------------------------------------------------------------

    def run(self, evaluate: Evaluator, budgets: np.ndarray | int, streams=None, leaves: int = 1) -> None:
        """Go on until every tree has `budgets` simulations, or its root is proven.

        With `leaves` > 1 each tree sends up to so many positions to the network together. While a position is under
        way its path counts as visited and as half lost for the players who chose it (virtual loss, see
        `mcts.tree.edge_value`), so that the next descent goes elsewhere; the result depends on `leaves`.
        Raises ValueError if the rule's search cannot be continued, for too large a budget and for missing streams.
        """
        batch = len(self.tree.nodes)
        budgets = np.broadcast_to(np.asarray(budgets), (batch,))
        self._check_run(budgets, leaves)
        fresh = self.numbers is None
        if fresh:
            self._expand_roots(evaluate, budgets)
        left: np.ndarray = (budgets - self.averaging).astype(np.int32)
        if fresh:
            self.numbers = self.rule.begin(self.tree, left, streams)
        halves = 2 if hasattr(evaluate, "submit") and batch > 1 else 1
        groups = [
            Group(self.game, self.tree, self.numbers, self.rule.solve, rows, leaves)
            for rows in np.array_split(np.arange(batch), halves)
        ]
        submit = getattr(evaluate, "submit", functools.partial(_evaluate_now, evaluate))
        waiting: list = [None] * halves
        while True:
            for place, group in enumerate(groups):
                count = group.go_on(left, waiting[place] and waiting[place]())
                waiting[place] = submit(group.leaves.planes[:count]) if count else None
            if not any(waiting):
                return

    def follow(self, actions: np.ndarray, states: np.ndarray) -> None:
        """Play `actions` and keep what is known below them; `states` [B, S] are the positions there, or new games.

        What was kept counts as simulations done, so that the next `run` adds what its budget leaves. A root that was
        kept stays as it was evaluated: it is not averaged over symmetries, and costs nothing.
        Raises ValueError for a finished position, and for a rule whose search cannot be continued.
        """
        if not self.rule.anytime:
            raise ValueError(f"trees of {type(self.rule).__name__} cannot be kept: the budget decides all its steps")
        _check(self.game, states, 1)
        follow(self.tree, actions, states)
        self.averaging[:] = 0
        self.numbers = None

    def _check_run(self, budgets, leaves):
        if budgets.min(initial=1) < 1:
            raise ValueError(f"budget {budgets.min()} cannot be: a search needs at least 1 evaluation, the root's own")
        if budgets.max(initial=1) > self.tree.nodes.shape[1]:
            raise ValueError(f"budget {budgets.max()} cannot be: this search has room for {self.tree.nodes.shape[1]}")
        if leaves < 1:
            raise ValueError(f"leaves={leaves} cannot be: expected at least 1")
        if self.numbers is not None and not self.rule.anytime:
            raise ValueError(f"a search by {type(self.rule).__name__} cannot go on: its budget decides all its steps")

    def _expand_roots(self, evaluate, budgets):
        """Evaluate and expand the roots that are not expanded yet, under every symmetry where the budget has room."""
        game, tree = self.game, self.tree
        rows = np.flatnonzero(tree.num_nodes == 0)
        states = tree.states[0, rows]
        add_roots(tree, rows, game.to_move(states).astype(np.int8))
        leaves = Leaves.of(game, rows, len(rows))
        leaves.nodes[:] = 0
        leaves.legal[:], leaves.planes[:] = game.legal(states), game.observe(states)
        if not len(rows):
            return
        logits, values = evaluate(leaves.planes)
        count = len(game.symmetries.actions) if self.rule.root_symmetries else 1
        averaged = np.flatnonzero(budgets[rows] > count) if count > 1 else ()
        if len(averaged):
            logits, values = logits.copy(), values.copy()
            answer = logits[averaged], values[averaged]
            logits[averaged], values[averaged] = over_symmetries(game, evaluate, leaves.planes[averaged], *answer)
            self.averaging[rows[averaged]] = count - 1
        receive(tree, leaves, len(rows), logits, values, False)
        tree.evaluations[rows] += self.averaging[rows]


def _evaluate_now(evaluate, planes):
    answer = evaluate(planes)
    return lambda: answer


def _check(game, states, nodes):
    if game.over(states).any():
        raise ValueError(f"row {np.flatnonzero(game.over(states))[0]} is a finished game: there is nothing to search")
    if nodes < 1:
        raise ValueError(f"budget {nodes} cannot be: a search needs at least 1 evaluation, the root's own")
    refuse_budget(game, len(states), nodes)


def refuse_budget(game: Game, count: int, nodes: int) -> None:
    """Raise ValueError if the trees of `count` positions with this budget cannot fit into the memory that is free."""
    state_bytes = np.dtype(game.state_dtype).itemsize * game.state_words
    needed = count * bytes_per_tree(nodes, game.num_actions, state_bytes)
    if needed <= _ALWAYS_FREE:
        return
    free = max(psutil.virtual_memory().available, _ALWAYS_FREE)
    if needed > free:
        fixed = bytes_per_tree(0, game.num_actions, state_bytes)
        most = (free // count - fixed) // (bytes_per_tree(1, game.num_actions, state_bytes) - fixed)
        raise ValueError(
            f"budget {nodes} cannot be: trees for {count} positions of {game.title} need {needed / 2**30:.1f} "
            f"GiB and {free / 2**30:.1f} GiB are free; the largest budget that fits is {max(most, 0)}"
        )
