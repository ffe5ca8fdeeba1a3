"""Network and PUCT search. A budget of 1 is the raw network."""

import numpy as np

from agents.agent import Decision, Strategy
from mcts import Puct, search
from mcts.streams import sample_rows


class PuctSearch(Strategy):
    """Plays the most visited move (ties: the higher prior); without search the network's most probable move.

    With sample=True the move is drawn from the policy instead, as in Jones 2021. There is no exploration noise.
    """

    name = "puct"

    def __init__(
        self, game, evaluator, c: float = Puct.c, fpu_reduction: float = Puct.fpu_reduction, sample: bool = False
    ):
        self.game, self.evaluator = game, evaluator
        self.settings = Puct(c=c, fpu_reduction=fpu_reduction)
        self.sample = sample

    def decide(self, states, budgets, streams):
        tree = search(self.game, states, self.evaluator, budgets, self.settings)
        policy = root_policy(tree)
        if self.sample:
            actions = sample_rows(streams, policy)
        else:
            actions = np.lexsort((tree.root_prior, tree.root_visits))[:, -1] if len(states) else np.zeros(0, np.int64)
        return Decision(actions, policy, tree.root_value, tree.evaluations.astype(np.int64))


def root_policy(tree) -> np.ndarray:
    """Share of visits of each root action, float32 [B, A]; the prior where nothing was searched."""
    visits = tree.root_visits.astype(np.float32)
    total = visits.sum(1, keepdims=True)
    return np.where(total > 0, visits / np.maximum(total, 1), tree.root_prior)
