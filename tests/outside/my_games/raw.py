"""The network's own favourite without any search."""

import numpy as np

from agents.agent import Decision, Strategy


class Raw(Strategy):
    """The legal action of the highest logit; `temperature` flattens the policy that is told beside it."""

    uses_budget = False

    def __init__(self, game, evaluator, temperature: float = 1.0):
        self.game, self.evaluator, self.temperature = game, evaluator, temperature

    def decide(self, states, budgets, streams):
        logits, value = self.evaluator(self.game.observe(states))
        turned = np.empty_like(logits)  # from the mover's frame to the board's
        np.put_along_axis(turned, self.game.views[self.game.to_move(states)], logits, 1)
        masked = np.where(self.game.legal(states), turned / self.temperature, -np.inf)
        weights = np.exp(masked - masked.max(1, keepdims=True))
        policy = weights / weights.sum(1, keepdims=True)
        return Decision(masked.argmax(1), policy.astype(np.float32), value, np.ones(len(states), np.int64))
