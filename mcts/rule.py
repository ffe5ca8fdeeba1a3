"""What a selection rule is, and calling the one that a search was given from inside compiled code.

A rule is one file: a frozen dataclass of settings (subclass of `Rule`) for people, and a NamedTuple of numbers and
arrays for the kernels, whose static function `select` is the rule itself. Compiled code is specialised by the type of
that tuple, so every rule gets a search of its own, compiled once and kept on disk.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numba.extending import overload

from games import registry
from games.core import kernel
from mcts.tree import Tree


class RuleError(ValueError):
    """A rule or setting that cannot be; the message names value, expectation and remedy."""


@dataclass(frozen=True)
class Rule:
    """Settings that all rules share. Every field is a setting of configuration.

    solve: propagate won, lost and drawn positions through the tree (mcts/bounds.py).
    root_symmetries: evaluate the root under every symmetry of the board and average, where the budget has room.
    """

    solve: bool = False
    root_symmetries: bool = False

    def begin(self, tree: Tree, budgets: np.ndarray, streams: np.ndarray | None) -> NamedTuple:
        """Called once the roots are expanded: mix in noise, return what the kernels need."""
        raise NotImplementedError

    def policy(self, tree: Tree, numbers: Any) -> np.ndarray:
        """What the search recommends, float32 [B, A]: the learner's target."""
        raise NotImplementedError

    def choose(self, tree: Tree, numbers: Any) -> np.ndarray:
        """The move to play at test time, int64 [B]."""
        raise NotImplementedError

    def explore(self, tree: Tree, numbers: Any, streams: np.ndarray) -> np.ndarray:
        """The move to play in self-play, int64 [B]."""
        raise NotImplementedError

    def exploring(self, noise: float, concentration: float) -> Rule:
        """This rule with the exploration of self-play at the root."""
        raise NotImplementedError

    deterministic = False
    """Whether a search draws no random numbers when it is not exploring."""

    anytime = False
    """Whether a search stopped after k simulations is the search with budget k."""


def select(numbers, tree, b, index):
    """The child to go to from node `index` of tree b; -1 for its untried candidate."""
    return type(numbers).select(numbers, tree, b, index)


@overload(select)
def _compiled_select(numbers, tree, b, index):
    chosen = numbers.instance_class.select
    return lambda numbers, tree, b, index: chosen(numbers, tree, b, index)


def make_rule(rule: str, **settings) -> Rule:
    """The rule called `rule`: the file mcts/NAME.py, or `package.module:Class`.

    Raises RuleError for an unknown rule, an unknown setting or an impossible value.
    """
    cls = registry.find(rule, "mcts", Rule, RuleError)
    registry.check_settings(f"search.rule={rule}", cls, settings, RuleError)
    types = {field.name: type(field.default) for field in fields(cls)}
    for key, value in settings.items():
        if types[key] in _ACCEPTED:  # other kinds are for the rule itself to judge
            accepted, words = _ACCEPTED[types[key]]
            require(type(value) in accepted, key, value, words)
    return cls(**settings)


_ACCEPTED = {bool: ((bool,), "true or false"), int: ((int,), "a whole number"), float: ((int, float), "a number")}


def require(holds: bool, name: str, value, expected: str) -> None:
    if not holds:
        raise RuleError(f"search.{name}={value!r} cannot be: expected {expected}")


# ---- the root ------------------------------------------------------------------------------------------------------


class Root(NamedTuple):
    """The tried actions of the roots, [B, A] each; what was not tried has 0 visits."""

    visits: np.ndarray  # int32
    value: np.ndarray  # float32: mean value of the action for the root's mover; 0 where not tried
    lower: np.ndarray  # int8: the bounds of mcts/bounds.py for the root's mover; -1 and 1 where nothing is proven
    upper: np.ndarray


def root(tree: Tree) -> Root:
    """Statistics of the roots' actions."""
    shape = tree.root_prior.shape
    table = Root(
        np.zeros(shape, np.int32), np.zeros(shape, np.float32), np.full(shape, -1, np.int8), np.ones(shape, np.int8)
    )
    _fill(tree, table)
    return table


@kernel
def _fill(tree, table):
    for b in range(len(table.visits)):
        nodes = tree.nodes[b]
        child = nodes[0].first_child
        while child >= 0:
            node = nodes[child]
            sign = 1 if node.to_move == nodes[0].to_move else -1
            table.visits[b, node.action] = node.visits
            table.value[b, node.action] = sign * node.value_sum / np.float32(max(node.visits, 1))
            table.lower[b, node.action] = node.lower if sign == 1 else -node.upper
            table.upper[b, node.action] = node.upper if sign == 1 else -node.lower
            child = node.next_sibling


def sensible(tree: Tree, table: Root) -> np.ndarray:
    """Actions that proof leaves to choose from, bool [B, A]: all tried ones where nothing is proven.

    What is proven worse than another action falls out, and so does what is unproven and no better on average than what
    is sure. Where every tried action loses, it is the next untried one, or all of them if none is left.
    """
    tried = table.visits > 0
    sure = np.where(tried, table.lower, -1).max(1, keepdims=True, initial=-1)
    open_ = (table.upper > sure) & ((sure == -1) | (table.value > sure))
    kept = tried & (open_ | ((sure > -1) & (table.lower >= sure)))
    lost = np.flatnonzero(tried.any(1) & ~kept.any(1))
    candidate = tree.nodes["candidate"][lost, 0]
    kept[lost] = tried[lost]
    kept[lost[candidate >= 0]] = False
    kept[lost[candidate >= 0], candidate[candidate >= 0]] = True
    return kept


def worth_weight(tree: Tree, table: Root) -> np.ndarray:
    """Actions that a policy over tried and untried ones may give weight to, bool [B, A].

    The sensible ones, and those not tried unless a win is at hand.
    """
    won = tree.nodes["lower"][:, :1] == 1
    return sensible(tree, table) | ((table.visits == 0) & ~won)


def most_visited(tree: Tree) -> np.ndarray:
    """The most visited sensible action (ties: the higher prior), int64 [B]; without search the prior decides."""
    if not len(tree.root_prior):
        return np.zeros(0, np.int64)
    table = root(tree)
    kept = sensible(tree, table)
    return np.lexsort((tree.root_prior, np.where(kept, table.visits, -1)))[:, -1]


def surest(tree: Tree, lcb: float) -> np.ndarray:
    """The sensible action with the highest lower confidence bound Q - lcb / sqrt(n), int64 [B]; ties: the higher prior.

    Only actions with a tenth of the most visits stand for choice; without search the prior decides. KataGo picks its
    moves so (its parameters useLcbForSelection, minVisitPropForLCB), with the measured deviation of the values in
    place of a constant.
    """
    if not len(tree.root_prior):
        return np.zeros(0, np.int64)
    table = root(tree)
    visits = np.where(sensible(tree, table), table.visits, -1)
    known = (visits >= 0) & (10 * visits >= visits.max(1, keepdims=True))
    bound = table.value - np.float32(lcb) / np.sqrt(np.maximum(visits, 1).astype(np.float32))
    return np.lexsort((tree.root_prior, np.where(known, bound, -np.inf)))[:, -1]


def share_of_visits(tree: Tree, visits: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Visits of the sensible actions as shares, float32 [B, A]; the prior where nothing was searched."""
    counted = np.where(kept, np.maximum(visits, 1), 0).astype(np.float32)
    total = counted.sum(1, keepdims=True)
    return np.where(total > 0, counted / np.maximum(total, 1), tree.root_prior)
