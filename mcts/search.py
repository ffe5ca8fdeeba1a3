"""The search: one simulation is descend, step, evaluate, expand and back up, for a whole batch at once.

Trees whose leaf is terminal cost no evaluation: they are backed up and descend again before the network is called, so
that each of its batches is full of positions that need evaluating. A row's search never depends on the other rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from games.core import OVER, RESULT, TO_MOVE, Game, kernel
from mcts.prefetch import AHEAD, prefetch
from mcts.puct import select
from mcts.softmax import masked_softmax
from mcts.streams import gamma
from mcts.tree import Tree, add_node, allocate, backup, choose_candidate

_HOT_NODES = 32  # the first nodes of a tree, through which most simulations go
_NO_STREAMS = np.zeros(0, np.uint64)

Evaluator = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Planes float32 [B, P, H, W] -> logits float32 [B, A] over the actions as the mover sees them (`Game.views`), and the
value float32 [B] for the player to move. Illegal actions are masked here, when a node is expanded. The planes are lent
for the call: the search writes the next ones to the same memory."""


@dataclass(frozen=True)
class Puct:
    """Settings of a search; the defaults are those of the field.

    c: weight of exploration (AlphaZero's pseudocode grows it from 1.25; 1.5 suits small boards).
    fpu_reduction: how far below its parent's value an untried action is taken to be (KataGo: 0.2).
    noise: share of Dirichlet noise in the root's prior; 0 outside self-play (AlphaZero: 0.25).
    noise_concentration: the Dirichlet parameters sum to this, shared evenly by the legal actions (AlphaZero: about 10).
    """

    c: float = 1.5
    fpu_reduction: float = 0.2
    noise: float = 0.0
    noise_concentration: float = 10.0


def search(
    game: Game,
    states: np.ndarray,
    evaluate: Evaluator,
    budgets: np.ndarray | int,
    settings: Puct,
    streams: np.ndarray | None = None,
) -> Tree:
    """Search every position of `states` [B, S] with `budgets` simulations (one number or [B]), the root's the first.

    `streams` uint64 [B] are needed for root noise only and are advanced in place.
    Raises ValueError for a finished position, a budget below 1 or noise without streams.
    """
    batch = len(states)
    budgets = np.broadcast_to(np.asarray(budgets, np.int32), (batch,))
    _check(game, states, budgets, settings, streams)
    tree = allocate(batch, int(budgets.max(initial=1)), game.num_actions)
    node_states = np.empty((batch, tree.nodes.shape[1], *states.shape[1:]), states.dtype)
    leaves = _begin(game, tree, node_states, states)
    _evaluate_and_expand(game, tree, evaluate, leaves, batch)
    _finish_roots(tree, _NO_STREAMS if streams is None else streams, settings.noise, settings.noise_concentration)
    count = batch
    while count := _find_leaves(game, tree, node_states, leaves, count, budgets, settings):
        _evaluate_and_expand(game, tree, evaluate, leaves, count)
    return tree


class _Leaves(NamedTuple):
    """Positions on their way to the network, one per tree that has budget left; those trees stand at the front."""

    rows: np.ndarray  # int64 [B]: the tree
    parents: np.ndarray  # int64 [B]: the node above
    actions: np.ndarray  # int64 [B]: the action that leads here
    states: np.ndarray  # [B, S]
    legal: np.ndarray  # bool [B, A]
    planes: np.ndarray  # float32 [B, P, H, W]


def _begin(game, tree, node_states, states):
    """Add the roots; the leaves of the first evaluation are the roots themselves."""
    node_states[:, 0] = states
    _add_roots(tree, game.to_move(states).astype(np.int8))
    rows, nowhere = np.arange(len(states)), np.full(len(states), -1)
    return _Leaves(rows, nowhere, nowhere.copy(), states.copy(), game.legal(states), game.observe(states))


def _find_leaves(game, tree, node_states, leaves, count, budgets, settings):
    """Walk the first `count` trees to positions that need evaluating; how many found one before their budget ran out.

    Trees that reached a finished game stand behind those that are ready, and walk again.
    """
    c, fpu_reduction = np.float32(settings.c), np.float32(settings.fpu_reduction)
    ready = 0
    while ready < count:
        count = _descend(tree, node_states, leaves, ready, count, budgets, c, fpu_reduction)
        walked = slice(ready, count)
        game.step(leaves.states[walked], leaves.actions[walked], leaves.legal[walked], leaves.planes[walked])
        ready = _attach(tree, node_states, leaves, ready, count)
    return count


def _evaluate_and_expand(game, tree, evaluate, leaves, count):
    logits, values = evaluate(leaves.planes[:count])
    _expand_and_backup(tree, leaves, count, game.views, logits, values)


def _check(game, states, budgets, settings, streams):
    if budgets.min(initial=1) < 1:
        raise ValueError(f"budget {budgets.min()} cannot be: a search needs at least 1 evaluation, the root's own")
    if game.over(states).any():
        raise ValueError(f"row {np.flatnonzero(game.over(states))[0]} is a finished game: there is nothing to search")
    if settings.noise > 0 and streams is None:
        raise ValueError("root noise needs the rows' random streams")


# ---- kernels -------------------------------------------------------------------------------------------------------


@kernel
def _add_roots(tree, to_move):
    for b in range(len(to_move)):
        add_node(tree, b, -1, -1, to_move[b])


@kernel
def _descend(tree, node_states, leaves, begin, end, budgets, c, fpu_reduction):
    """Give each of leaves[begin:end] the untried edge to expand next; how many are left, of all up to `end`.

    Those whose budget runs out at finished games are dropped.
    """
    left = begin
    for i in range(begin, end):
        if i + AHEAD < end:
            prefetch(tree.nodes[leaves.rows[i + AHEAD], :_HOT_NODES])
        b = leaves.rows[i]
        node = _walk(tree, b, budgets[b], c, fpu_reduction)
        if node >= 0:
            leaves.rows[left] = b
            leaves.parents[left] = node
            leaves.actions[left] = tree.nodes[b, node].candidate
            leaves.states[left] = node_states[b, node]
            left += 1
    return left


@kernel
def _walk(tree, b, budget, c, fpu_reduction):
    """The node of tree b whose candidate comes next, -1 once the budget is spent; finished games are backed up."""
    node = 0
    while tree.simulations[b] < budget:
        child = select(tree, b, node, c, fpu_reduction)
        if child < 0:
            return node
        node = child
        if tree.nodes[b, node].terminal:
            backup(tree, b, node, tree.nodes[b, node].raw_value)
            node = 0
    return -1


@kernel
def _attach(tree, node_states, leaves, begin, end):
    """Add leaves[begin:end] as nodes; finished games are backed up and moved behind. How many are ready, of all."""
    ready = begin
    for i in range(begin, end):
        if i + AHEAD < end:
            prefetch(tree.prior[leaves.rows[i + AHEAD], leaves.parents[i + AHEAD]])
        b, state = leaves.rows[i], leaves.states[i]
        node = add_node(tree, b, leaves.parents[i], leaves.actions[i], state[TO_MOVE])
        node_states[b, node] = state
        if state[OVER]:
            value = np.float32(state[RESULT] if state[TO_MOVE] == 0 else -state[RESULT])
            tree.nodes[b, node].terminal = True
            tree.nodes[b, node].raw_value = value
            backup(tree, b, node, value)
            continue
        if ready < i:
            leaves.rows[i] = leaves.rows[ready]
            leaves.rows[ready] = b
            leaves.legal[ready] = leaves.legal[i]
            leaves.planes[ready] = leaves.planes[i]
        ready += 1
    return ready


@kernel
def _expand_and_backup(tree, leaves, count, views, logits, values):
    """Write priors and value of each leaf's node, the newest of its tree, and back the value up."""
    prior = np.empty(tree.prior.shape[2], np.float32)  # worked on here, since the tree's own memory is far away
    for i in range(count):
        if i + AHEAD < count:
            b = leaves.rows[i + AHEAD]
            prefetch(tree.prior[b, tree.num_nodes[b] - 1])
        b = leaves.rows[i]
        index = tree.num_nodes[b] - 1
        node = tree.nodes[b, index]
        masked_softmax(logits[i], views[node.to_move], leaves.legal[i], prior)
        tree.prior[b, index] = prior
        choose_candidate(node, prior)
        node.raw_value = values[i]
        tree.evaluations[b] += 1
        backup(tree, b, index, values[i])


@kernel
def _finish_roots(tree, streams, share, concentration):
    """Mix Dirichlet noise into the roots' priors (Silver et al. 2017, Methods, "Play") and keep a copy of them."""
    noise = np.zeros(tree.prior.shape[2])
    for b in range(len(tree.prior)):
        prior = tree.prior[b, 0]
        if share > 0:
            _dirichlet(streams, b, prior, concentration, noise)
            for a in range(len(prior)):
                if prior[a] >= 0:
                    prior[a] = (1.0 - share) * prior[a] + share * noise[a]
            choose_candidate(tree.nodes[b, 0], prior)
        for a in range(len(prior)):
            tree.root_prior[b, a] = max(prior[a], np.float32(0.0))


@kernel
def _dirichlet(streams, b, prior, concentration, noise):
    """Dirichlet numbers over the legal actions, whose parameters are equal and sum to `concentration`."""
    count = (prior >= 0).sum()
    total = 0.0
    for a in range(len(prior)):
        noise[a] = gamma(streams, b, concentration / count) if prior[a] >= 0 else 0.0
        total += noise[a]
    for a in range(len(prior)):
        noise[a] /= total
