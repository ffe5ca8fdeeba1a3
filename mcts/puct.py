"""The selection rule PUCT.

    argmax_a  Q(a) + c P(a) sqrt(N) / (1 + n(a)),      c = c_puct + c_log log((N + c_base) / c_base)

Silver et al. 2018, "A general reinforcement learning algorithm that masters chess, shogi, and Go through self-play",
supplement, section "Search": n(a) visits of the action, N visits of the node, P prior, Q mean value for the player to
move. c_log = 0 keeps c constant; AlphaZero has c_log = 1 and c_base = 19652 (its pseudocode), KataGo's
search parameters are 0.45 and 500.

An untried action has Q = V - r sqrt(sum of the tried actions' priors), V the node's mean value: first-play urgency as
in KataGo (Wu 2019, arXiv 1902.10565, section 2).

Worked example: c = 1, r = 0, N = 4, V = 0.5; action x: P = 0.6, n = 2, Q = 0.5; action y: P = 0.4, untried. Then
x scores 0.5 + 0.6 * 2 / 3 = 0.9 and y scores 0.5 + 0.4 * 2 / 1 = 1.3: y is chosen.

Forced playouts and target pruning (Wu 2019, section 3.2): at the root an action that was tried is selected at once
while n(a) < sqrt(k P(a) sum n). From the learner's target, as many visits are taken off an action as were forced on it,
unless they made its score better than that of the most visited one; what is left with a single visit is dropped.

At test time the move is the one with the highest lower confidence bound, see `mcts.rule.surest`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from games.core import lean_kernel
from mcts.bounds import upper_bound
from mcts.root import note_priors
from mcts.rule import Rule, most_visited, require, root, sensible, share_of_visits, surest
from mcts.streams import sample_rows
from mcts.tree import edge_value, mean_value


class Numbers(NamedTuple):
    c: np.float32
    c_log: np.float32
    c_base: np.float32
    fpu_reduction: np.float32
    forced: np.float32


@lean_kernel
def select(numbers, tree, b, index):
    """The child PUCT chooses at one node; -1 for the untried candidate. Ties go to what was tried first.

    All arithmetic is float32, in the order written, so that a twin can repeat it bit by bit.
    """
    nodes = tree.nodes[b]
    node = nodes[index]
    visits = np.float32(node.visits)
    c = numbers.c
    if numbers.c_log > 0:
        c += numbers.c_log * np.float32(math.log((visits + numbers.c_base) / numbers.c_base))
    weight = c * np.float32(math.sqrt(visits))
    force = numbers.forced * (visits - np.float32(1.0)) if index == 0 else np.float32(0.0)
    best, best_score = -1, np.float32(-np.inf)
    child = node.first_child
    while child >= 0:
        edge = nodes[child]
        n = np.float32(edge.visits)
        if upper_bound(nodes, index, child) > node.lower:
            if n * n < force * edge.edge_prior:
                return child
            score = edge_value(node, edge) + weight * edge.edge_prior / (np.float32(1.0) + n)
            best = child if score > best_score else best  # with max below no branch, which nobody could predict
            best_score = max(best_score, score)
        child = edge.next_sibling
    if node.candidate >= 0:
        q = mean_value(node) - numbers.fpu_reduction * np.float32(math.sqrt(node.tried_mass))
        if q + weight * node.candidate_prior > best_score:
            best = -1
    return best


Numbers.select = staticmethod(select)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Puct(Rule):
    """Settings of PUCT; the defaults are those of the field.

    c, c_log, c_base: weight of exploration (AlphaZero's pseudocode begins at 1.25; 1.5 suits small boards).
    fpu_reduction: r above (KataGo: 0.2).
    forced_playouts: k above, 0 for none (KataGo: 2); for self-play.
    lcb: test time: how far below its mean value an action tried once is taken to be; by the root of its visits less for
        others. The move is the best by that bound.
    by_visits: test time: the move is the most visited one instead (Silver et al. 2017; both compared in docs/log.md).
    noise: share of Dirichlet noise in the root's prior; 0 outside self-play (AlphaZero: 0.25).
    noise_concentration: the Dirichlet parameters sum to this, shared evenly by the legal actions (AlphaZero: about 10).
    """

    c: float = 1.5
    c_log: float = 0.0
    c_base: float = 500.0
    fpu_reduction: float = 0.2
    forced_playouts: float = 0.0
    lcb: float = 0.2
    by_visits: bool = False
    noise: float = 0.0
    noise_concentration: float = 10.0

    deterministic = anytime = True

    def __post_init__(self):
        require(self.c >= 0, "c", self.c, "a number of at least 0")
        require(self.c_log >= 0, "c_log", self.c_log, "a number of at least 0")
        require(self.c_base > 0, "c_base", self.c_base, "a number above 0")
        require(self.fpu_reduction >= 0, "fpu_reduction", self.fpu_reduction, "a number of at least 0")
        require(self.forced_playouts >= 0, "forced_playouts", self.forced_playouts, "a number of at least 0")
        require(self.lcb >= 0, "lcb", self.lcb, "a number of at least 0")
        require(0 <= self.noise <= 1, "noise", self.noise, "a share from 0 to 1")
        require(self.noise_concentration >= 0.1, "noise_concentration", self.noise_concentration, "at least 0.1")

    def begin(self, tree, budgets, streams):
        note_priors(tree, self.noise, self.noise_concentration, streams)
        return self._numbers(self.forced_playouts if self.noise > 0 else 0.0)

    def policy(self, tree, numbers):
        """Shares of visits, pruned of forced ones."""
        table = root(tree)
        visits = pruned(self, tree, table) if numbers.forced > 0 else table.visits
        return share_of_visits(tree, visits, sensible(tree, table) & ((visits > 0) | (table.visits == 0)))

    def choose(self, tree, numbers):
        return most_visited(tree) if self.by_visits else surest(tree, self.lcb)

    def explore(self, tree, numbers, streams):
        """Drawn from the visits, forced ones included."""
        table = root(tree)
        return sample_rows(streams, share_of_visits(tree, table.visits, sensible(tree, table)))

    def exploring(self, noise, concentration):
        return replace(self, noise=noise, noise_concentration=concentration)

    def _numbers(self, forced):
        return Numbers(*(np.float32(x) for x in (self.c, self.c_log, self.c_base, self.fpu_reduction, forced)))


def pruned(rule: Puct, tree, table) -> np.ndarray:
    """Visits of the roots' actions without those that forcing alone explains, int32 [B, A]."""
    visits, total = table.visits.astype(np.float64), table.visits.sum(1, keepdims=True)
    if not len(visits):
        return table.visits
    parent = tree.nodes["visits"][:, :1].astype(np.float64)
    weight = (rule.c + rule.c_log * np.log((parent + rule.c_base) / rule.c_base)) * np.sqrt(parent) * tree.root_prior
    best = most_visited(tree)[:, None]
    top = np.take_along_axis(table.value + weight / (1 + visits), best, axis=1)
    gap = top - table.value
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.where(gap > 0, np.ceil(weight / gap - 1), visits)  # fewer visits would score above the best
    forced = np.ceil(np.sqrt(rule.forced_playouts * tree.root_prior * total))
    kept = np.clip(np.maximum(visits - forced, needed), 0, visits)
    kept[kept <= 1] = 0
    np.put_along_axis(kept, best, np.take_along_axis(visits, best, axis=1), axis=1)
    return kept.astype(np.int32)
