"""A quick look at a selection rule from outside, before a search trusts it: compiled code checks no bounds.

A rule is asked about the nodes of trees that PUCT has grown over tic-tac-toe, where it may only read. What it does at a
root may follow a schedule of its own (Gumbel's does), so that only rules for any budget are asked about roots.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numba.core.errors import NumbaError

from games import make, registry
from games.core import kernel
from mcts import Puct, Rule, RuleError, Search, Tree
from mcts.rule import select
from mcts.streams import sample_rows, seed_streams

_TREES, _VISITS, _PLIES = 64, 24, 5
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
    chosen = np.zeros(tree.nodes.shape, np.int64)
    first = 0 if rule.anytime else 1
    running = first + int(tree.nodes["settled"][0, first:].argmin())
    try:
        compiled(numbers, tree, 0, running)  # its own faults are told more briefly than through a caller
        _ask(numbers, tree, chosen, first)
    except NumbaError as error:
        raise RuleError(f"rule {name}: {type(numbers).__name__}.select does not compile: {_told(error)}") from None
    _refuse_wrong(name, tree, chosen, first)


@kernel
def _ask(numbers, tree, chosen, first):
    for b in range(len(chosen)):
        for index in range(first, tree.num_nodes[b]):
            if not tree.nodes[b, index].settled:
                chosen[b, index] = select(numbers, tree, b, index)


def _refuse_wrong(name: str, tree: Tree, chosen: np.ndarray, first: int) -> None:
    nodes = tree.nodes
    for b, index in zip(*np.nonzero(np.arange(nodes.shape[1]) < tree.num_nodes[:, None]), strict=True):
        node, child = nodes[b, index], chosen[b, index]
        if node["settled"] or index < first:
            continue
        if child < 0 and (child != -1 or node["candidate"] < 0):
            raise RuleError(f"rule {name}: select returns {child} where no untried candidate is left "
                            "(node.candidate is -1): expected one of the children")  # fmt: skip
        if child >= 0 and (child >= tree.num_nodes[b] or nodes[b, child]["parent"] != index):
            raise RuleError(f"rule {name}: select returns {child} at node {index}, which is no child of it: expected "
                            "node.first_child, one of its next_sibling, or -1 for the untried candidate")  # fmt: skip


def _grown() -> Tree:
    """Trees of positions after five random moves, so that many nodes have all their children."""
    game = make("tictactoe")
    states, streams = game.reset(4 * _TREES), seed_streams(0, np.arange(4 * _TREES))
    for _ in range(_PLIES):
        running = ~game.over(states)
        part, own = states[running], streams[running]
        game.advance(part, sample_rows(own, game.legal(part).astype(np.float32)))
        states[running], streams[running] = part, own
    search = Search(game, states[~game.over(states)][:_TREES], Puct(), _VISITS)
    search.run(lambda planes: (np.zeros((len(planes), 9), np.float32), np.zeros(len(planes), np.float32)), _VISITS)
    return search.tree


def _told(error: NumbaError) -> str:
    """What numba names as the cause, and where."""
    lines = [line.strip() for line in str(error).splitlines()]
    cause = next((line for line in lines if line and not line.startswith("Failed in")), "no reason given")
    place = next((line.rstrip(":") for line in lines if line.startswith("File ")), "")
    return f"{cause[:120]} {place}".strip()
