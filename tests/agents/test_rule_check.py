"""Rules from outside: what compiled code would follow out of its arrays is told before a search is made."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from agents.agent import AgentError
from agents.rule_check import refuse_unsound
from agents.search_strategy import SearchStrategy
from games import make
from games.core import lean_kernel
from mcts import Gumbel, Puct, Regularised, Rule, RuleError, make_rule


class Outside(Puct):
    """A rule of the collection, as though it were written elsewhere."""


class OutsideGumbel(Gumbel):
    pass


class OutsideRegularised(Regularised):
    pass


class FarNumbers(NamedTuple):
    c: np.float32


class UntriedNumbers(NamedTuple):
    c: np.float32


class MistypedNumbers(NamedTuple):
    c: np.float32


class PlainNumbers(NamedTuple):
    c: np.float32


@lean_kernel
def far(numbers, tree, b, index):
    return 1_000_000


@lean_kernel
def untried(numbers, tree, b, index):
    return -1


@lean_kernel
def mistyped(numbers, tree, b, index):
    return tree.nods[b, index].candidate


FarNumbers.select = staticmethod(far)
UntriedNumbers.select = staticmethod(untried)
MistypedNumbers.select = staticmethod(mistyped)
PlainNumbers.select = staticmethod(untried.py_func)


@dataclass(frozen=True)
class Faulty(Puct):
    numbers: type = FarNumbers

    def begin(self, tree, budgets, streams):
        super().begin(tree, budgets, streams)
        return self.numbers(np.float32(1))


class ScheduledNumbers(NamedTuple):
    last: np.ndarray


@lean_kernel
def lost_at_the_end(numbers, tree, b, index):
    """As a first candidate or child, but for the root's last simulation."""
    node = tree.nodes[b, index]
    if index == 0 and node.visits == numbers.last[b]:
        return tree.num_nodes[b]
    return -1 if node.candidate >= 0 else node.first_child


ScheduledNumbers.select = staticmethod(lost_at_the_end)


@dataclass(frozen=True)
class Scheduled(Puct):
    """Its root follows the budget."""

    early: int = 1
    anytime = False

    def begin(self, tree, budgets, streams):
        super().begin(tree, budgets, streams)
        return ScheduledNumbers(budgets - self.early)


class Silent(Rule):
    begin = choose = lambda self, *_: None


@pytest.mark.parametrize("rule, words", [
    (Faulty(), "select returns 1000000 at node 0, which is no child of it"),
    (Faulty(numbers=UntriedNumbers), "select returns -1 where no untried candidate is left"),
    (Faulty(numbers=MistypedNumbers), "MistypedNumbers.select does not compile: Unknown attribute 'nods'"),
    (Faulty(numbers=PlainNumbers), "no static function select with the decorator lean_kernel"),
    (Scheduled(), "select returns .* at node 0, which is no child of it"),
    (Silent(), "Silent has no policy: "),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_each_fault_is_told(rule, words):
    with pytest.raises(RuleError, match=words):
        refuse_unsound(rule)


def test_a_search_with_a_faulty_rule_is_not_begun():
    class FaultySearch(SearchStrategy):
        rule = Faulty

    with pytest.raises(RuleError, match="no child of it"):
        FaultySearch(make("tictactoe"), None)


def test_self_play_needs_two_methods_more():
    class AtTestTime(Outside):
        explore, exploring = Rule.explore, Rule.exploring

    refuse_unsound(AtTestTime())
    with pytest.raises(RuleError, match="has no explore, exploring"):
        refuse_unsound(AtTestTime(), self_play=True)


@pytest.mark.parametrize(
    "rule",
    [
        Outside(solve=True),
        OutsideGumbel(),
        OutsideGumbel(solve=True, considered=3),
        OutsideRegularised(),
        Scheduled(early=0),
    ],
    ids=repr,
)
def test_sound_rules_pass(rule):
    refuse_unsound(rule, self_play=True)


@dataclass(frozen=True)
class Worded(Puct):
    mode: str = "plain"
    limit: int | None = None


def test_settings_that_are_no_numbers_are_for_the_rule_to_judge():
    name = f"{__name__}:Worded"
    assert make_rule(name, mode="fancy", limit=3, c=2) == Worded(mode="fancy", limit=3, c=2)
    with pytest.raises(RuleError, match=r"search\.c='x' cannot be: expected a number"):
        make_rule(name, c="x")


def test_a_search_strategy_without_a_rule_is_told():
    with pytest.raises(AgentError, match="Nameless names no rule: expected rule = MyRule"):
        type("Nameless", (SearchStrategy,), {})
