"""Network and tree search as a strategy, for whatever selection rule. A budget of 1 is the raw network."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import ClassVar

import numpy as np

from agents.agent import AgentError, Decision, Strategy
from agents.rule_check import refuse_unsound
from games import Game
from mcts import Evaluator, Rule, Search, search
from mcts.streams import sample_rows

SELF_PLAY_ONLY = ("noise", "noise_concentration", "forced_playouts")


class SearchStrategy(Strategy):
    """Plays the rule's move; with sample=True the move is drawn from its policy instead, as in Jones 2021.

    `leaves` positions of each tree go to the network together (see `mcts.Search.run`).
    Where one search serves several rows (the same position, whatever the budgets) it is made once.
    A subclass names the rule; its settings are the rule's, but for those of exploration in self-play.
    """

    rule: ClassVar[type[Rule]]
    defaults: ClassVar[dict] = {"solve": True}  # at test time, where they differ from the rule's (docs/log.md)

    def __init_subclass__(cls):
        if not hasattr(cls, "rule"):
            raise AgentError(f"{cls.__name__} names no rule: expected rule = MyRule, a subclass of mcts.Rule")
        settings = [field for field in fields(cls.rule) if field.name not in SELF_PLAY_ONLY]
        named = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("game", "evaluator")]
        for field in settings:
            default = cls.defaults.get(field.name, field.default)
            named.append(inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default))
        for name, default in {"sample": False, "leaves": 1}.items():
            named.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
        cls.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]

    sharing = True  # rows with the same position share a search where that changes nothing

    def __init__(self, game: Game, evaluator: Evaluator, sample: bool = False, leaves: int = 1, **settings):
        self.game, self.evaluator, self.sample, self.leaves = game, evaluator, sample, leaves
        self.spent = 0  # evaluations made; shared ones are billed to every row that they serve
        self.settings = self.rule(**(self.defaults | settings))
        refuse_unsound(self.settings)

    def decide(self, states, budgets, streams):
        if self._anytime() and self.sharing and len(states):
            policy, actions, value, evaluations = self._read_off(states, budgets)
        else:
            found = search(self.game, states, self.evaluator, budgets, self.settings, streams, self.leaves)
            policy, actions, value, evaluations = _answers(found)
            self.spent += int(evaluations.sum())
        if self.sample:
            actions = sample_rows(streams, policy)
        return Decision(actions, policy, value, evaluations)

    def _anytime(self):
        """Whether the search on its way to a larger budget is, at this one, the search with this one."""
        rule = self.settings
        return rule.deterministic and rule.anytime and not rule.root_symmetries and self.leaves == 1

    def _read_off(self, states, budgets):
        """One search for all rows with the same position, read at each of their budgets on its way to the largest."""
        _, first, place = np.unique(_as_bytes(states), return_index=True, return_inverse=True)
        most = np.zeros(len(first), np.int64)
        np.maximum.at(most, place, budgets)
        found = Search(self.game, states[first], self.settings, int(most.max(initial=1)))
        answers = None
        for budget in np.unique(budgets):
            found.run(self.evaluator, np.minimum(budget, most))
            rows = budgets == budget
            if answers is None:
                answers = [np.empty((len(states), *part.shape[1:]), part.dtype) for part in _answers(found)]
            for whole, part in zip(answers, _answers(found), strict=True):
                whole[rows] = part[place[rows]]
        self.spent += int(found.evaluations.sum())
        assert answers is not None
        return answers


def _answers(found: Search) -> tuple[np.ndarray, ...]:
    """Policy [B, A], actions, value, evaluations [B]."""
    return found.policy(), found.choose(), found.root_value, found.evaluations.astype(np.int64)


def _as_bytes(states: np.ndarray) -> np.ndarray:
    """Rows as opaque values, [B], so that equal positions are found quickly."""
    return np.ascontiguousarray(states).view(np.dtype((np.void, states.dtype.itemsize * states.shape[1])))[:, 0]
