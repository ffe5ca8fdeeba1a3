"""Search as regularised policy optimisation (Grill et al. 2020, "Monte-Carlo tree search as regularized policy
optimization").

    policy(a) = lambda P(a) / (alpha - Q(a)),   alpha such that it sums to 1              equation 8 and appendix B.3
    lambda = c sqrt(N) / (|A| + N)                                                        equation 9

It is the exact solution that visit counts of PUCT only approach: the best mean value less lambda times the divergence
from the prior. N counts the simulations below the node, |A| the game's actions. The square root belongs there; without
it (Jones 2021's code) search trusts its values ever less as it goes on.

Actions are drawn from this policy at every node; what was not tried counts with the node's mean value less the same
first-play urgency as in mcts/puct.py. Q lies in [-1, 1], for every tree alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from games.core import lean_kernel
from mcts.bounds import upper_bound
from mcts.root import note_priors
from mcts.rule import Rule, require, root, worth_weight
from mcts.streams import sample_rows, uniform
from mcts.tree import edge_value, mean_value

_STEPS = 32  # of Newton's method, which needs about 5


class Numbers(NamedTuple):
    c: np.float32
    fpu_reduction: np.float32
    streams: np.ndarray  # uint64 [B]


@lean_kernel
def select(numbers, tree, b, index):
    """The child drawn from the policy at one node; -1 for an untried action, drawn by its prior."""
    nodes = tree.nodes[b]
    node = nodes[index]
    untried, scale, alpha = _solve(numbers, tree, b, index)
    threshold = uniform(numbers.streams, b) * _open_mass(nodes, index, untried, scale, alpha)
    last = -1
    child = node.first_child
    while child >= 0:
        if upper_bound(nodes, index, child) > node.lower:
            last = child
            threshold -= scale * nodes[child].edge_prior / (alpha - _q(node, nodes[child]))
            if threshold < 0:
                return child
        child = nodes[child].next_sibling
    if node.candidate < 0:
        return last
    _draw_untried(numbers, tree.prior[index, b], node, b)
    return -1


@lean_kernel
def _q(node, edge):
    """Mean value of an action for the mover of the node it is played at."""
    return np.float64(edge_value(node, edge))


@lean_kernel
def _solve(numbers, tree, b, index):
    """Value of untried actions, lambda and alpha at one node.

    The sum falls with alpha and is convex, and at the largest Q(a) + lambda P(a) it is at least 1: from there Newton's
    method goes up to the solution and never beyond.
    """
    nodes = tree.nodes[b]
    node = nodes[index]
    below = np.float64(node.visits - 1)
    scale = numbers.c * math.sqrt(below) / (tree.prior.shape[2] + below)
    untried = np.float64(mean_value(node) - numbers.fpu_reduction * np.float32(math.sqrt(node.tried_mass)))
    mass = _untried_mass(node)
    alpha = untried + scale * mass if node.candidate >= 0 else -np.inf
    child = node.first_child
    while child >= 0:
        alpha = max(alpha, _q(node, nodes[child]) + scale * nodes[child].edge_prior)
        child = nodes[child].next_sibling
    alpha += 1e-9  # a prior may be 0
    if scale == 0.0:
        return untried, 1.0, untried + 1.0  # nothing is known below: the prior
    for _ in range(_STEPS):
        total, slope = 0.0, 0.0
        if node.candidate >= 0:
            part = scale * mass / (alpha - untried)
            total, slope = part, part / (alpha - untried)
        child = node.first_child
        while child >= 0:
            distance = alpha - _q(node, nodes[child])
            part = scale * nodes[child].edge_prior / distance
            total += part
            slope += part / distance
            child = nodes[child].next_sibling
        if total - 1.0 < 1e-9:
            break
        alpha += (total - 1.0) / slope
    return untried, scale, alpha


@lean_kernel
def _untried_mass(node):
    return max(1.0 - np.float64(node.tried_mass), np.float64(node.candidate_prior))


@lean_kernel
def _open_mass(nodes, index, untried, scale, alpha):
    """What the policy gives to the actions that proof leaves open."""
    node = nodes[index]
    total = scale * _untried_mass(node) / (alpha - untried) if node.candidate >= 0 else 0.0
    child = node.first_child
    while child >= 0:
        if upper_bound(nodes, index, child) > node.lower:
            total += scale * nodes[child].edge_prior / (alpha - _q(node, nodes[child]))
        child = nodes[child].next_sibling
    return total


@lean_kernel
def _draw_untried(numbers, prior, node, b):
    """Make an untried action the candidate, drawn by its prior."""
    total = 0.0
    for a in range(len(prior)):
        total += max(prior[a], np.float32(0.0))
    threshold = uniform(numbers.streams, b) * total
    for a in range(len(prior)):
        if prior[a] > 0:
            node.candidate = a
            node.candidate_prior = prior[a]
            threshold -= prior[a]
            if threshold < 0:
                return


Numbers.select = staticmethod(select)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Regularised(Rule):
    """Settings of the regularised policy.

    c: weight of the prior against the values.
    fpu_reduction: how far below its parent's value an untried action is taken to be.
    noise, noise_concentration: Dirichlet noise in the root's prior, as in PUCT; 0 outside self-play.
    """

    c: float = 1.5
    fpu_reduction: float = 0.2
    noise: float = 0.0
    noise_concentration: float = 10.0

    anytime = True

    def __post_init__(self):
        require(self.c > 0, "c", self.c, "a number above 0")
        require(self.fpu_reduction >= 0, "fpu_reduction", self.fpu_reduction, "a number of at least 0")
        require(0 <= self.noise <= 1, "noise", self.noise, "a share from 0 to 1")
        require(self.noise_concentration >= 0.1, "noise_concentration", self.noise_concentration, "at least 0.1")

    def begin(self, tree, budgets, streams):
        if streams is None:
            if budgets.max(initial=1) > 1:
                raise ValueError("the regularised policy is drawn from: it needs the rows' random streams")
            streams = np.zeros(len(budgets), np.uint64)
        note_priors(tree, self.noise, self.noise_concentration, streams)
        return Numbers(np.float32(self.c), np.float32(self.fpu_reduction), streams)

    def policy(self, tree, numbers):
        """The regularised policy at the root (the paper's LEARN)."""
        out = np.zeros_like(tree.root_prior)
        _policy(numbers, tree, out)
        if self.solve:
            kept = np.where(worth_weight(tree, root(tree)), out, 0)
            out = np.where(kept.sum(1, keepdims=True) > 0, kept, out)
        searched = root(tree).visits.any(1, keepdims=True)
        return np.where(searched, out / np.maximum(out.sum(1, keepdims=True), 1e-30), tree.root_prior).astype(
            np.float32
        )

    def choose(self, tree, numbers):
        """The most probable action of the policy (ties: the higher prior)."""
        if not len(tree.root_prior):
            return np.zeros(0, np.int64)
        return np.lexsort((tree.root_prior, self.policy(tree, numbers)))[:, -1]

    def explore(self, tree, numbers, streams):
        """Drawn from the policy (the paper's ACT)."""
        return sample_rows(streams, self.policy(tree, numbers))

    def exploring(self, noise, concentration):
        return replace(self, noise=noise, noise_concentration=concentration)


@lean_kernel
def _policy(numbers, tree, out):
    for b in range(len(out)):
        nodes = tree.nodes[b]
        untried, scale, alpha = _solve(numbers, tree, b, 0)
        for a in range(out.shape[1]):
            out[b, a] = scale * max(tree.prior[0, b, a], np.float32(0.0)) / (alpha - untried)
        child = nodes[0].first_child
        while child >= 0:
            edge = nodes[child]
            out[b, edge.action] = scale * edge.edge_prior / (alpha - _q(nodes[0], edge))
            child = edge.next_sibling
