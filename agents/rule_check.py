"""A quick look at a selection rule from outside, before a search trusts it: compiled code checks no bounds.

A rule is asked about the nodes of trees that PUCT has grown over tic-tac-toe, where it may only read. What it does at a
root may follow a schedule of its own (Gumbel's does): one that is for a single budget is asked about roots of its own
trees, before each simulation.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba.core.errors import NumbaError

from games import Game, make, registry
from games.compiling import cause
from games.core import kernel
from mcts import Puct, Rule, RuleError, Search, Tree
from mcts.rule import select
from mcts.streams import seed_streams, uniforms

_TREES, _VISITS, _PLIES = 64, 24, 5
_BUDGETS = 2 + np.arange(_TREES) % (_VISITS - 1)
_METHODS = ("begin", "policy", "choose")
_IN_SELF_PLAY = ("explore", "exploring")


@functools.cache
def refuse_unsound(rule: Rule, self_play: bool = False) -> None:
    """Raises RuleError for a rule from outside that lacks something, does not compile, or goes where no child is."""
    name = registry.name_of(type(rule), "mcts")
    if ":" not in name:
        return
    needed = _METHODS + (_IN_SELF_PLAY if self_play else ())
    if missing := [method for method in needed if getattr(type(rule), method) is getattr(Rule, method)]:
        raise RuleError(f"rule {name} has no {', '.join(missing)}: mcts/puct.py shows what a rule needs")
    tree = _grown()
    numbers = rule.begin(tree, np.full(_TREES, 2 * _VISITS), seed_streams(1, np.arange(_TREES)))
    compiled: Any = getattr(type(numbers), "select", None)
    if not hasattr(compiled, "py_func"):
        raise RuleError(f"rule {name}: {type(numbers).__name__}, which begin returns, has no static function select "
                        "with the decorator lean_kernel, as in mcts/puct.py")  # fmt: skip
    first = 0 if rule.anytime else 1
    running = first + int(tree.nodes["settled"][0, first:].argmin())
    try:
        compiled(numbers, tree, 0, running)  # its own faults are told more briefly than through a caller
        _refuse_wrong(name, numbers, tree, np.arange(_VISITS) >= first)
        if not rule.anytime:
            _refuse_wrong_at_roots(name, rule)
    except NumbaError as error:
        raise RuleError(f"rule {name}: {type(numbers).__name__}.select does not compile: {cause(error)}") from None


@dataclass(frozen=True)
class _Stepwise(Rule):
    """Another rule with the budgets of a whole search, which goes on simulation by simulation."""

    rule: Rule = field(default_factory=Rule)
    anytime = True

    def begin(self, tree, budgets, streams):
        return self.rule.begin(tree, _BUDGETS, streams)


def _refuse_wrong_at_roots(name: str, rule: Rule) -> None:
    """Raises RuleError for what a rule selects at the roots of its own trees, before it is followed."""
    game, states = _positions()
    own, streams = Search(game, states, _Stepwise(rule.solve, rule=rule), _VISITS), seed_streams(2, np.arange(_TREES))
    for visits in range(1, _VISITS):
        own.run(_know_nothing, np.minimum(visits, _BUDGETS), streams)
        going_on = (visits < _BUDGETS)[:, None] & (np.arange(_VISITS) == 0)
        _refuse_wrong(name, own.numbers, own.tree, going_on)


@kernel
def _ask(numbers, tree, asked, chosen):
    for b in range(len(asked)):
        for index in range(tree.num_nodes[b]):
            if asked[b, index]:
                chosen[b, index] = select(numbers, tree, b, index)


def _refuse_wrong(name: str, numbers: Any, tree: Tree, wanted: np.ndarray) -> None:
    """Raises RuleError for what is selected at a node of `wanted`, bool [B, N] or one row for all, that is no child."""
    nodes = tree.nodes
    asked = wanted & (np.arange(nodes.shape[1]) < tree.num_nodes[:, None]) & (nodes["settled"] == 0)
    chosen = np.zeros(nodes.shape, np.int64)
    _ask(numbers, tree, asked, chosen)
    for b, index in zip(*np.nonzero(asked), strict=True):
        node, child = nodes[b, index], chosen[b, index]
        if child < 0 and (child != -1 or node["candidate"] < 0):
            raise RuleError(f"rule {name}: select returns {child} where no untried candidate is left "
                            "(node.candidate is -1): expected one of the children")  # fmt: skip
        if child >= 0 and (child >= tree.num_nodes[b] or nodes[b, child]["parent"] != index):
            raise RuleError(f"rule {name}: select returns {child} at node {index}, which is no child of it: expected "
                            "node.first_child, one of its next_sibling, or -1 for the untried candidate")  # fmt: skip


def _positions() -> tuple[Game, np.ndarray]:
    """Tic-tac-toe after five random moves, so that many nodes of a tree have all their children."""
    game = make("tictactoe")
    states, streams = game.reset(4 * _TREES), seed_streams(0, np.arange(4 * _TREES))
    for _ in range(_PLIES):
        running = ~game.over(states)
        part, own = states[running], streams[running]
        game.advance(part, game.pick(part, uniforms(own)))
        states[running], streams[running] = part, own
    return game, states[~game.over(states)][:_TREES]


def _know_nothing(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((len(planes), 9), np.float32), np.zeros(len(planes), np.float32)


def _grown() -> Tree:
    search = Search(*_positions(), Puct(), _VISITS)
    search.run(_know_nothing, _VISITS)
    return search.tree
