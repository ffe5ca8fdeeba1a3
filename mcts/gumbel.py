"""The selection rule of Gumbel AlphaZero (Danihelka et al. 2022, "Policy improvement by planning with Gumbel").

    sigma(q) = (c_visit + max_b n(b)) c_scale q                                            equation 8
    completed Q(a) = Q(a) where tried, else v_mix                                          equation 10
    v_mix = (V + sum n / P(tried) sum_tried P(b) Q(b)) / (1 + sum n)                       appendix D
    improved policy = softmax(log P + sigma(completed Q))                                  equation 11

V is the network's value of the node. Q is taken from [-1, 1] to [0, 1], or with `rescale` from the smallest and largest
completed Q of the node to 0 and 1, as for games whose scale is unknown. Nothing is shared between trees.

At the root (section 3, algorithm 2) the `considered` actions of highest g(a) + log P(a), g Gumbel noise, are tried, and
sequential halving gives the better half of them more and more visits; what remains with the most visits and the highest
g + log P + sigma(Q) is played. Elsewhere (section 5) the action furthest behind the improved policy is selected:

    argmax_a  improved(a) - n(a) / (1 + sum n)

Without noise (test time) g = 0. The budget decides which visits are made, so a search that is stopped early is not the
search with the smaller budget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np

from games.core import lean_kernel
from mcts.bounds import upper_bound
from mcts.root import note_priors
from mcts.rule import Rule, require, root, sensible, worth_weight
from mcts.streams import uniform
from mcts.tree import edge_value

_ONE = np.float32(1.0)
_TINY = np.float32(1e-30)


class Numbers(NamedTuple):
    c_visit: np.float32
    c_scale: np.float32
    rescale: bool
    score: np.ndarray  # float32 [B, A]: g + log P at the root; -inf where not legal
    schedule: np.ndarray  # int32 [B, N]: the visits of the action that simulation i selects among, -1 behind the budget


@lean_kernel
def select(numbers, tree, b, index):
    """The child to go to from one node; -1 for the untried candidate."""
    if index == 0:
        return _select_root(numbers, tree, b)
    nodes = tree.nodes[b]
    node = nodes[index]
    mixed, shift, stretch, total = _improved(numbers, nodes, index)
    visits = np.float32(node.visits)  # of the node itself: one more than of its children together
    best, best_gap = -1, np.float32(-np.inf)
    child = node.first_child
    while child >= 0:
        edge = nodes[child]
        if upper_bound(nodes, index, child) > node.lower:
            weight = edge.edge_prior * np.float32(math.exp((edge_value(node, edge) - shift) * stretch))
            gap = weight / total - np.float32(edge.visits) / visits
            if gap > best_gap:
                best, best_gap = child, gap
        child = edge.next_sibling
    weight = node.candidate_prior * np.float32(math.exp(min((mixed - shift) * stretch, np.float32(0.0))))
    return -1 if node.candidate >= 0 and weight / total > best_gap else best


@lean_kernel
def _improved(numbers, nodes, index):
    """v_mix, and shift, stretch, total such that improved(a) = P(a) exp((completed Q(a) - shift) stretch) / total."""
    node = nodes[index]
    most, weighted, mass = 0, np.float32(0.0), np.float32(0.0)
    low, high = np.float32(np.inf), np.float32(-np.inf)
    child = node.first_child
    while child >= 0:
        edge = nodes[child]
        q = edge_value(node, edge)
        most = max(most, edge.visits)
        weighted += edge.edge_prior * q
        mass += edge.edge_prior
        low, high = min(low, q), max(high, q)
        child = edge.next_sibling
    tried = np.float32(node.visits - 1)
    mixed = (node.raw_value + tried * weighted / max(mass, _TINY)) / (_ONE + tried)
    if node.candidate >= 0:
        low, high = min(low, mixed), max(high, mixed)
    stretch = numbers.c_scale * (numbers.c_visit + np.float32(most)) * np.float32(0.5)
    if numbers.rescale:
        stretch *= np.float32(2.0) / max(high - low, np.float32(1e-8))
    total = np.float32(0.0)
    child = node.first_child
    while child >= 0:
        edge = nodes[child]
        total += edge.edge_prior * np.float32(math.exp((edge_value(node, edge) - high) * stretch))
        child = edge.next_sibling
    if node.candidate >= 0:
        total += max(_ONE - mass, node.candidate_prior) * np.float32(math.exp((mixed - high) * stretch))
    return mixed, high, stretch, max(total, _TINY)


@lean_kernel
def _select_root(numbers, tree, b):
    """Among the actions with as many visits as the schedule says, that of highest g + log P + sigma(Q)."""
    nodes = tree.nodes[b]
    node = nodes[0]
    wanted = numbers.schedule[b, node.visits - 1]
    if wanted == 0:
        node.candidate = _best_untried(numbers.score[b], tree.prior[0, b])
        node.candidate_prior = tree.prior[0, b, node.candidate]
        return -1
    _, shift, stretch, _ = _improved(numbers, nodes, 0)
    best, best_score = -1, np.float32(-np.inf)
    child = node.first_child
    while child >= 0:
        edge = nodes[child]
        if edge.visits == wanted:
            score = numbers.score[b, edge.action] + (edge_value(node, edge) - shift) * stretch
            if score > best_score:
                best, best_score = child, score
        child = edge.next_sibling
    return best


@lean_kernel
def _best_untried(score, prior):
    best = -1
    for a in range(len(score)):
        if prior[a] >= 0 and (best < 0 or score[a] > score[best]):
            best = a
    return best


Numbers.select = staticmethod(select)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Gumbel(Rule):
    """Settings of the Gumbel rule; the defaults are the paper's for board games but for c_scale, which was measured.

    considered: at most so many actions are tried at the root.
    c_visit, c_scale: of sigma, above.
    rescale: by the smallest and largest completed Q of the node, in place of [-1, 1].
    noise: scale of the Gumbel noise; 1 in self-play, 0 at test time.
    """

    considered: int = 16
    c_visit: float = 50.0
    c_scale: float = 1.0
    rescale: bool = False
    noise: float = 0.0

    def __post_init__(self):
        require(self.considered >= 1, "considered", self.considered, "a whole number of at least 1")
        require(self.c_visit >= 0, "c_visit", self.c_visit, "a number of at least 0")
        require(self.c_scale > 0, "c_scale", self.c_scale, "a number above 0")
        require(self.noise >= 0, "noise", self.noise, "a number of at least 0")

    def begin(self, tree, budgets, streams):
        if self.noise > 0 and streams is None:
            raise ValueError("Gumbel noise needs the rows' random streams")
        note_priors(tree, 0.0, 1.0, None)
        noise = np.zeros(tree.root_prior.shape, np.float32)
        if self.noise > 0:
            _gumbel_noise(streams, np.float32(self.noise), noise)
        legal = tree.root_prior > 0
        score = np.where(legal, noise + np.log(np.maximum(tree.root_prior, _TINY)), -np.inf).astype(np.float32)
        legal_count = np.maximum(legal.sum(1), 1)
        schedule = np.full((len(budgets), max(int(budgets.max(initial=1)), 1)), -1, np.int32)
        for b, (legal_actions, budget) in enumerate(zip(legal_count.tolist(), budgets.tolist(), strict=True)):
            visits = considered_visits(min(self.considered, legal_actions), budget - 1)
            schedule[b, : len(visits)] = visits
        return Numbers(np.float32(self.c_visit), np.float32(self.c_scale), self.rescale, score, schedule)

    def policy(self, tree, numbers):
        """The improved policy."""
        out = np.zeros_like(tree.root_prior)
        _improved_policy(numbers, tree, out)
        if self.solve:
            out = _without(out, worth_weight(tree, root(tree)))
        return out

    def choose(self, tree, numbers):
        """Of the sensible actions with the most visits, that of highest g + log P + sigma(Q)."""
        if not len(tree.root_prior):
            return np.zeros(0, np.int64)
        table = root(tree)
        visits = np.where(sensible(tree, table), table.visits, -1)
        scores = np.full(tree.root_prior.shape, -np.inf, np.float32)
        _final_scores(numbers, tree, scores)
        return np.lexsort((scores, visits))[:, -1]

    def explore(self, tree, numbers, streams):
        """The noise has been drawn already."""
        return self.choose(tree, numbers)

    def exploring(self, noise, concentration):
        """Gumbel noise takes the place of Dirichlet noise; without any (noise = 0) there is none."""
        return replace(self, noise=1.0 if noise > 0 else 0.0)


def _without(policy, kept):
    remaining = np.where(kept, policy, 0)
    total = remaining.sum(1, keepdims=True)
    return np.where(total > 0, remaining / np.maximum(total, _TINY), policy).astype(np.float32)


@cache
def considered_visits(considered: int, simulations: int) -> np.ndarray:
    """Sequential halving as a list, int32 [simulations]: simulation i goes to an action with that many visits so far.

    The considered actions are visited equally often in each of log2(considered) phases, and half of them, at least two,
    go on to the next (Karnin, Koren & Somekh 2013; Danihelka et al. 2022, section 3.3).
    """
    if considered == 1:
        return np.arange(simulations, dtype=np.int32)
    phases = math.ceil(math.log2(considered))
    sequence: list[int] = []
    left, done = considered, 0
    while len(sequence) < simulations:
        each = max(1, simulations // (phases * left))
        for visits in range(done, done + each):
            sequence += [visits] * left
        done += each
        left = max(2, left // 2)
    return np.array(sequence[:simulations], np.int32)


@lean_kernel
def _gumbel_noise(streams, scale, noise):
    for b in range(len(noise)):
        for a in range(noise.shape[1]):
            noise[b, a] = scale * np.float32(-math.log(-math.log(uniform(streams, b))))


@lean_kernel
def _improved_policy(numbers, tree, out):
    for b in range(len(out)):
        nodes = tree.nodes[b]
        mixed, shift, stretch, total = _improved(numbers, nodes, 0)
        untried = np.float32(math.exp(min((mixed - shift) * stretch, np.float32(0.0)))) / total
        for a in range(out.shape[1]):
            out[b, a] = max(tree.prior[0, b, a], np.float32(0.0)) * untried
        child = nodes[0].first_child
        while child >= 0:
            edge = nodes[child]
            weight = np.float32(math.exp((edge_value(nodes[0], edge) - shift) * stretch))
            out[b, edge.action] = edge.edge_prior * weight / total
            child = edge.next_sibling


@lean_kernel
def _final_scores(numbers, tree, scores):
    for b in range(len(scores)):
        nodes = tree.nodes[b]
        for a in range(scores.shape[1]):
            scores[b, a] = numbers.score[b, a]
        if nodes[0].first_child < 0:
            continue
        mixed, shift, stretch, _ = _improved(numbers, nodes, 0)
        for a in range(scores.shape[1]):
            if tree.prior[0, b, a] >= 0:
                scores[b, a] += (mixed - shift) * stretch
        child = nodes[0].first_child
        while child >= 0:
            edge = nodes[child]
            scores[b, edge.action] += (edge_value(nodes[0], edge) - shift) * stretch
            child = edge.next_sibling
