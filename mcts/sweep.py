"""A sweep: every tree is walked to a position that needs evaluating, and takes up the network's answer for it.

All trees together are far larger than the nearer caches, so memory decides how long a sweep takes. The loops ask for
the next trees' memory ahead, and an answer is backed up just before its tree is walked again, while its nodes are near.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from games.core import OVER, RESULT, TO_MOVE, Game, inlined_kernel, lean_kernel
from mcts.bounds import settle
from mcts.prefetch import AHEAD, prefetch
from mcts.rule import select
from mcts.softmax import first, masked_softmax, turn
from mcts.tree import Tree, add_node, backup

_HOT_NODES = 32  # the first nodes of a tree, through which most simulations go


class Leaves(NamedTuple):
    """Positions on their way to the network; those that are ready stand at the front. R slots, one per tree or more."""

    rows: np.ndarray  # int64 [R]: the tree
    nodes: np.ndarray  # int64 [R]: the new node
    actions: np.ndarray  # int64 [R]: the action that leads there
    legal: np.ndarray  # bool [R, A]
    planes: np.ndarray  # float32 [R, P, H, W]
    cells: np.ndarray  # the same memory, [R, P * H * W]
    scratch: np.ndarray  # float32 [A]
    views: np.ndarray  # those of the game
    straight: np.ndarray  # bool [2]: whether the player's view changes nothing

    @staticmethod
    def of(game: Game, rows: np.ndarray, count: int) -> Leaves:
        planes = np.empty((count, *game.observation_shape), np.float32)
        return Leaves(
            np.resize(rows, count).astype(np.int64), np.empty(count, np.int64), np.empty(count, np.int64),
            np.empty((count, game.num_actions), np.bool_), planes, planes.reshape(count, math.prod(planes.shape[1:])),
            np.empty(game.num_actions, np.float32), game.views, (game.views == np.arange(game.num_actions)).all(1),
        )  # fmt: skip


class Group:
    """Trees whose leaves are evaluated together."""

    def __init__(self, game: Game, tree: Tree, numbers: Any, solve: bool, rows: np.ndarray, per_tree: int):
        self.game, self.tree, self.numbers, self.solve = game, tree, numbers, solve
        self.rows, self.per_tree, self.count = rows, per_tree, len(rows)
        self.leaves = Leaves.of(game, rows, len(rows) * per_tree)

    def go_on(self, budgets: np.ndarray, answer: tuple[np.ndarray, np.ndarray] | None) -> int:
        """Take up the logits and values of the leaves found last, and walk to the next; how many there are.

        Trees that reached a finished game stand behind those that are ready, and walk again.
        """
        game, tree, leaves, numbers, ready = self.game, self.tree, self.leaves, self.numbers, 0
        virtual = self.per_tree > 1
        if answer and not virtual:
            self.count = _receive_and_descend(tree, leaves, self.count, *answer, budgets, numbers)
        else:
            if virtual:
                self._receive_all(answer, budgets)
            self.count = _descend(tree, leaves, 0, self.count, budgets, numbers, virtual)
        while ready < self.count:
            walked = slice(ready, self.count)
            game.step_at(tree.states, leaves.rows[walked], leaves.nodes[walked], leaves.actions[walked],
                         leaves.legal[walked], leaves.planes[walked])  # fmt: skip
            ready, self.count = _attach_and_descend(tree, leaves, ready, self.count, self.solve,
                                                    budgets, numbers, virtual)  # fmt: skip
        return self.count

    def _receive_all(self, answer, budgets):
        """Several leaves of a tree: all of them before it is walked again. Trees with budget left get slots anew."""
        if answer:
            receive(self.tree, self.leaves, self.count, *answer, True)
        roots = self.tree.nodes[self.rows, 0]
        rows = np.repeat(self.rows[(roots["visits"] < budgets[self.rows]) & ~roots["settled"]], self.per_tree)
        self.count = len(rows)
        self.leaves.rows[: self.count] = rows


# ---- kernels -------------------------------------------------------------------------------------------------------


@lean_kernel
def add_roots(tree, rows, to_move):
    """The first node of each of the trees `rows`."""
    for i in range(len(rows)):
        add_node(tree, rows[i], -1, -1, to_move[i])


@lean_kernel
def receive(tree, leaves, count, logits, values, virtual):
    """Write priors and value of the nodes of the first `count` slots and back the values up."""
    for i in range(count):
        _receive(tree, leaves, i, logits, values, virtual)


@lean_kernel
def _receive_and_descend(tree, leaves, end, logits, values, budgets, numbers):
    """`receive` and `_descend` for slots 0:end, one leaf per tree."""
    left = 0
    for i in range(end):
        if i + AHEAD < end:
            _prefetch_nodes(tree, leaves.rows[i + AHEAD])
            prefetch(tree.prior[leaves.nodes[i + AHEAD], leaves.rows[i + AHEAD]])
        _receive(tree, leaves, i, logits, values, False)
        left += _walk_from(tree, leaves, i, left, budgets, numbers, False)
    _extend_all(tree, leaves, 0, left)
    return left


@lean_kernel
def _attach_and_descend(tree, leaves, begin, end, solve, budgets, numbers, virtual):
    """`_attach`, then `_descend` with the trees that reached a finished game: how many are ready, and how many left."""
    ready = _attach(tree, leaves, begin, end, solve, virtual)
    return ready, _descend(tree, leaves, ready, end, budgets, numbers, virtual)


@lean_kernel
def _descend(tree, leaves, begin, end, budgets, numbers, virtual):
    """Add to each of the trees in slots begin:end the node to evaluate next; how many are left, of all up to `end`.

    Those whose budget runs out at positions of known value are dropped, and those whose path is under way already.
    """
    left = begin
    for i in range(begin, end):
        if i + AHEAD < end:
            _prefetch_nodes(tree, leaves.rows[i + AHEAD])
        left += _walk_from(tree, leaves, i, left, budgets, numbers, virtual)
    if not virtual:
        _extend_all(tree, leaves, begin, left)
    return left


@lean_kernel
def _prefetch_nodes(tree, b):
    prefetch(tree.nodes[b, : min(tree.num_nodes[b], _HOT_NODES)])


@inlined_kernel
def _receive(tree, leaves, i, logits, values, virtual):
    """Write priors and value of the node in slot i and back the value up."""
    prior = leaves.scratch  # worked on here, since the tree's own memory is far away
    b, index = leaves.rows[i], leaves.nodes[i]
    node = tree.nodes[b, index]
    turn(logits[i], leaves.views[node.to_move], leaves.straight[node.to_move], prior)
    node.candidate_prior = masked_softmax(prior, leaves.legal[i])
    node.candidate = first(prior, node.candidate_prior)
    _copy(prior, tree.prior[index, b])
    node.raw_value = values[i] if values[i] == values[i] else np.float32(0.0)  # nan: a network that diverged
    tree.evaluations[b] += 1
    if virtual:
        _come_back(tree.nodes[b], index)
    backup(tree.nodes[b], index, node.raw_value)


@inlined_kernel
def _walk_from(tree, leaves, i, left, budgets, numbers, virtual):
    """Walk the tree of slot i; where it comes to a node to extend, both move to slot `left`. 1 if so, else 0."""
    b = leaves.rows[i]
    parent = _walk(tree, b, budgets[b], numbers)
    if parent < 0:
        return 0
    leaves.rows[left] = b
    leaves.nodes[left] = parent
    if virtual:
        _extend(tree, leaves, left)
        _set_out(tree.nodes[b], leaves.nodes[left])
    return 1


@lean_kernel
def _extend_all(tree, leaves, begin, end):
    """`_extend` in a loop of its own, for whose memory we can ask ahead."""
    for i in range(begin, end):
        if i + AHEAD < end:
            prefetch(tree.prior[leaves.nodes[i + AHEAD], leaves.rows[i + AHEAD]])
            prefetch(tree.states[leaves.nodes[i + AHEAD], leaves.rows[i + AHEAD]])
        _extend(tree, leaves, i)


@inlined_kernel
def _extend(tree, leaves, i):
    """Add the candidate of the node in slot i to its tree; it takes that node's place in the slot."""
    b, parent = leaves.rows[i], leaves.nodes[i]
    above = tree.nodes[b, parent]
    leaves.actions[i] = above.candidate
    leaves.nodes[i] = add_node(tree, b, parent, above.candidate, 1 - above.to_move)
    _copy(tree.states[parent, b], tree.states[leaves.nodes[i], b])


@lean_kernel
def _copy(source, target):
    for i in range(len(source)):
        target[i] = source[i]


@inlined_kernel
def _walk(tree, b, budget, numbers):
    """The node of tree b whose candidate comes next, -1 once the budget is spent; settled nodes are backed up."""
    nodes = tree.nodes[b]
    node = 0
    while node > 0 or (nodes[0].visits < budget and not nodes[0].settled):
        if nodes[node].candidate < 0 and nodes[node].first_child < 0:  # not expanded yet: its evaluation is under way
            return -1
        child = select(numbers, tree, b, node)
        if child < 0:
            return node
        node = child
        if nodes[node].settled:
            backup(nodes, node, nodes[node].raw_value)
            node = 0
    return -1


@lean_kernel
def _set_out(nodes, index):
    """Count one visit more, whose value is yet to come, at a node and at all above it."""
    while index >= 0:
        node = nodes[index]
        node.visits += 1
        node.under_way += 1
        index = node.parent


@lean_kernel
def _come_back(nodes, index):
    """Take back one visit under way at a node and at all above it."""
    while index >= 0:
        node = nodes[index]
        node.visits -= 1
        node.under_way -= 1
        index = node.parent


@lean_kernel
def _attach(tree, leaves, begin, end, solve, virtual):
    """Look at the new nodes in slots begin:end; finished games are backed up and moved behind. How many are ready."""
    ready = begin
    for i in range(begin, end):
        b, index = leaves.rows[i], leaves.nodes[i]
        state, nodes = tree.states[index, b], tree.nodes[b]
        node = nodes[index]
        node.to_move = state[TO_MOVE]
        if state[OVER]:
            value = state[RESULT] if state[TO_MOVE] == 0 else -state[RESULT]
            if virtual:
                _come_back(nodes, index)
            node.settled = True
            node.raw_value = np.float32(value)
            if solve:
                settle(nodes, index, value)
            backup(nodes, index, np.float32(value))
            continue
        if ready < i:
            leaves.rows[i], leaves.nodes[i] = leaves.rows[ready], leaves.nodes[ready]
            leaves.rows[ready], leaves.nodes[ready] = b, index
            _copy(leaves.legal[i], leaves.legal[ready])
            _copy(leaves.cells[i], leaves.cells[ready])
        ready += 1
    return ready
