"""What picks moves: one interface for everything from random play to search.

A strategy decides for a batch of positions, each with a budget of its own; an agent is a strategy with one budget.
A strategy is one file of agents/strategies/ (or `package.module:Class` elsewhere).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from games import Game, registry
from mcts import Evaluator


class AgentError(ValueError):
    """An agent that cannot be; the message names value, expectation and remedy."""


class Decision(NamedTuple):
    """Answers for B positions."""

    actions: np.ndarray  # int64 [B]
    policy: np.ndarray  # float32 [B, A]: what the strategy would sample from
    value: np.ndarray  # float32 [B]: expected result for the player to move, nan where the strategy has none
    evaluations: np.ndarray  # int64 [B]: network evaluations spent


class Strategy:
    """Subclasses are built with (game) or (game, evaluator) and settings of their own.

    uses_network: whether an evaluator is needed, and with it a snapshot.
    uses_budget: whether more evaluations make a difference.
    uses_history: whether `decide` is handed the actions since the initial position too, int64 [B, T].
    """

    name: str
    uses_network = True
    uses_budget = True
    uses_history = False

    def decide(self, states: np.ndarray, budgets: np.ndarray, streams: np.ndarray) -> Decision:
        """Choose for each of `states` [B, S] with at most budgets [B] evaluations; advances `streams` uint64 [B]."""
        raise NotImplementedError

    def refuse_unsound(self, game: Game, states: np.ndarray, budgets: np.ndarray, decision: Decision) -> None:
        """Raises AgentError for an answer that a game cannot go on with, or that cost more than its budget."""
        name = registry.name_of(type(self), "agents.strategies")
        if not isinstance(decision, Decision):
            raise AgentError(f"strategy {name!r} answers with {type(decision).__name__}: expected a Decision")
        for what in ("actions", "evaluations"):
            array = np.asarray(getattr(decision, what))
            if array.shape != (len(states),) or array.dtype.kind not in "iu":
                raise AgentError(f"strategy {name!r} answers with {what} {array.dtype} {list(array.shape)}: expected "
                                 f"int64 [{len(states)}], one for each position")  # fmt: skip
        known = (decision.actions >= 0) & (decision.actions < game.num_actions)
        known[known] = game.legal(states[known])[np.arange(known.sum()), decision.actions[known]]
        if not known.all():
            raise AgentError(f"strategy {name!r} chose action {decision.actions[~known][0]}, which is not legal there: "
                             "expected one of game.legal(states), numbered as on the board; game.views turns a "
                             "network's numbers into these")  # fmt: skip
        if self.uses_budget and (over := decision.evaluations > budgets).any():
            raise AgentError(f"strategy {name!r} spent {decision.evaluations[over][0]} evaluations on a move, more "
                             f"than its budget of {budgets[over][0]}")  # fmt: skip


@dataclass(frozen=True)
class Agent:
    """A strategy with a budget: the thing that has an Elo."""

    strategy: Strategy
    budget: int = 1

    def act(self, states: np.ndarray, streams: np.ndarray) -> Decision:
        return self.strategy.decide(states, np.full(len(states), self.budget, np.int32), streams)


def strategy_class(name: str) -> type[Strategy]:
    """The Strategy subclass called `name`. Raises AgentError if there is none."""
    return registry.find(name, "agents.strategies", Strategy, AgentError)


def make_strategy(name: str, game: Game, evaluator: Evaluator | None = None, **settings) -> Strategy:
    """Build a strategy. Raises AgentError for an unknown one, a missing network or an unknown setting."""
    cls = check_strategy(name, settings)
    if cls.uses_network and evaluator is None:
        raise AgentError(f"strategy {name!r} needs a network: give it a snapshot")
    return cls(*([game, evaluator] if cls.uses_network else [game]), **settings)


def check_strategy(name: str, settings: dict) -> type[Strategy]:
    """The Strategy subclass called `name`. Raises AgentError if there is none, or if it cannot be called as one is."""
    cls = strategy_class(name)
    given = ("game", "evaluator") if cls.uses_network else ("game",)  # an evaluator goes with uses_network = True
    registry.check_settings(f"strategy {name!r}", cls, settings, AgentError, given)
    asked = ("states", "budgets", "streams", "histories")[: 3 + cls.uses_history]
    if cls.decide is Strategy.decide:
        raise AgentError(f"strategy {name!r} has no method decide({', '.join(asked)})")
    signature = inspect.signature(cls.decide)
    try:
        signature.bind("self", *asked)
    except TypeError as refusal:
        raise AgentError(f"strategy {name!r} has a method decide{signature} that cannot be called, {refusal}: expected "
                         f"decide(self, {', '.join(asked)}), as in docs/adding_a_game.md") from None  # fmt: skip
    return cls


def default_settings(cls: type[Strategy]) -> dict:
    """The settings of a strategy with their defaults."""
    parameters = inspect.signature(cls).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
