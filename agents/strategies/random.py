"""Uniformly random legal moves."""

import numpy as np

from agents.agent import Decision, Strategy
from mcts.streams import sample_rows


class Random(Strategy):
    """Every legal move equally likely; no network, no budget."""

    name = "random"
    uses_network = False
    uses_budget = False

    def __init__(self, game):
        self.game = game

    def decide(self, states, budgets, streams):
        legal = self.game.legal(states).astype(np.float32)
        policy = legal / legal.sum(1, keepdims=True)
        nothing = np.zeros(len(states), np.int64)
        return Decision(sample_rows(streams, policy), policy, np.full(len(states), np.nan, np.float32), nothing)
