"""The search: one simulation is descend, step, evaluate, expand and back up, for a whole batch at once.

Trees whose leaf is terminal cost no evaluation: they are backed up and descend again before the network is called, so
that each of its batches is full of positions that need evaluating. A row's search never depends on the other rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from games.core import Game, kernel
from mcts.puct import select
from mcts.streams import gamma
from mcts.tree import Tree, add_node, allocate, backup, highest

_NO_STREAMS = np.zeros(0, np.uint64)

Evaluator = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Planes float32 [B, P, H, W] -> logits float32 [B, A] over the actions as the mover sees them (`Game.views`), and the
value float32 [B] for the player to move. Illegal actions are masked here, when a node is expanded."""


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
    rows = np.arange(batch)
    node_states = np.empty((batch, tree.prior.shape[1], *states.shape[1:]), states.dtype)
    node_states[:, 0] = states
    _add_roots(tree, game.to_move(states).astype(np.int8))
    _evaluate_and_expand(game, tree, evaluate, rows, game.observe(states), game.legal(states))
    _finish_roots(tree, _NO_STREAMS if streams is None else streams, settings.noise, settings.noise_concentration)
    while len(rows := rows[tree.simulations[rows] < budgets[rows]]):
        rows, planes, legal = _leaves(game, tree, node_states, rows, budgets, settings)
        if len(rows):
            _evaluate_and_expand(game, tree, evaluate, rows, planes, legal)
    return tree


def _leaves(game, tree, node_states, rows, budgets, settings):
    """Walk each of `rows` to a position that needs evaluating: the rows that found one, their planes and masks."""
    found = []
    while len(rows):
        parents, actions = np.empty(len(rows), np.int32), np.empty(len(rows), np.int64)
        _descend(tree, rows, budgets, np.float32(settings.c), np.float32(settings.fpu_reduction), parents, actions)
        if not (waiting := actions >= 0).all():
            rows, parents, actions = rows[waiting], parents[waiting], actions[waiting]
        states = node_states[rows, parents]
        legal = np.empty((len(rows), game.num_actions), np.bool_)
        planes = np.empty((len(rows), *game.observation_shape), np.float32)
        game.step(states, actions, legal, planes)
        node_states[rows, tree.num_nodes[rows]] = states
        over = game.over(states)
        _attach(tree, rows, parents, actions, game.to_move(states), over, game.result(states))
        if not over.any():
            found.append((rows, planes, legal))
            break
        found.append((rows[~over], planes[~over], legal[~over]))
        rows = rows[over]
    return tuple(np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*found, strict=True))


def _evaluate_and_expand(game, tree, evaluate, rows, planes, legal):
    logits, values = evaluate(planes)
    _expand_and_backup(tree, rows, game.views, legal, logits, values)


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
def _descend(tree, rows, budgets, c, fpu_reduction, parents, actions):
    """For each row the untried edge to expand next; action -1 where the budget ran out at known terminal leaves."""
    for i in range(len(rows)):
        b = rows[i]
        actions[i] = -1
        node = 0
        while tree.simulations[b] < budgets[b]:
            child = select(tree, b, node, c, fpu_reduction)
            if child < 0:
                parents[i] = node
                actions[i] = tree.candidate[b, node]
                break
            node = child
            if tree.terminal[b, node]:
                backup(tree, b, node, tree.raw_value[b, node])
                node = 0


@kernel
def _attach(tree, rows, parents, actions, to_move, over, result):
    """Add the reached positions as nodes; finished ones are backed up at once."""
    for i in range(len(rows)):
        b = rows[i]
        node = add_node(tree, b, parents[i], actions[i], to_move[i])
        if over[i]:
            tree.terminal[b, node] = True
            tree.raw_value[b, node] = result[i] if to_move[i] == 0 else -result[i]
            backup(tree, b, node, tree.raw_value[b, node])


@kernel
def _expand_and_backup(tree, rows, views, legal, logits, values):
    """Write priors and value of each row's newest node and back the value up."""
    for i in range(len(rows)):
        b = rows[i]
        node = tree.num_nodes[b] - 1
        _masked_softmax(logits[i], views[tree.to_move[b, node]], legal[i], tree.prior[b, node])
        tree.candidate[b, node] = highest(tree.prior[b, node])
        tree.raw_value[b, node] = values[i]
        tree.evaluations[b] += 1
        backup(tree, b, node, values[i])


@kernel
def _masked_softmax(logits, view, legal, prior):
    """prior[view[j]] = softmax of the legal logits, -1 where not legal; all arrays [A]."""
    top = np.float32(-np.inf)
    for j in range(len(logits)):
        if legal[view[j]]:
            top = max(top, logits[j])
    total = np.float32(0.0)
    for j in range(len(logits)):
        weight = np.float32(-1.0)
        if legal[view[j]]:
            weight = np.float32(math.exp(logits[j] - top))
            total += weight
        prior[view[j]] = weight
    for a in range(len(prior)):
        if prior[a] > 0:
            prior[a] /= total


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
            tree.candidate[b, 0] = highest(prior)
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
