"""Network and tree search as a strategy, for whatever selection rule. A budget of 1 is the raw network."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import ClassVar

import numpy as np

from agents.agent import Decision, Strategy
from games import Game
from mcts import Evaluator, Rule, search
from mcts.streams import sample_rows

SELF_PLAY_ONLY = ("noise", "noise_concentration", "forced_playouts")


class SearchStrategy(Strategy):
    """Plays the rule's move; with sample=True the move is drawn from its policy instead, as in Jones 2021.

    A subclass names the rule; its settings are the rule's, but for those of exploration in self-play.
    """

    rule: ClassVar[type[Rule]]
    defaults: ClassVar[dict] = {}  # at test time, where they differ from the rule's

    def __init_subclass__(cls):
        settings = [field for field in fields(cls.rule) if field.name not in SELF_PLAY_ONLY]
        named = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("game", "evaluator")]
        for field in settings:
            default = cls.defaults.get(field.name, field.default)
            named.append(inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default))
        named.append(inspect.Parameter("sample", inspect.Parameter.KEYWORD_ONLY, default=False))
        cls.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]

    def __init__(self, game: Game, evaluator: Evaluator, sample: bool = False, **settings):
        self.game, self.evaluator, self.sample = game, evaluator, sample
        self.settings = self.rule(**(self.defaults | settings))

    def decide(self, states, budgets, streams):
        found = search(self.game, states, self.evaluator, budgets, self.settings, streams)
        policy = found.policy()
        actions = sample_rows(streams, policy) if self.sample else found.choose()
        return Decision(actions, policy, found.root_value, found.evaluations.astype(np.int64))
