"""Perfect play from the exact solver, stubborn in lost positions (see games.exact)."""

import numpy as np

from agents.agent import Decision, Strategy
from games.exact import solver
from mcts.streams import sample_rows


class Perfect(Strategy):
    """Keeps the game-theoretic value; where all moves lose, leaves the opponent the fewest winning replies."""

    name = "perfect"
    uses_network = False
    uses_budget = False

    def __init__(self, game):
        self.exact = solver(game)

    def decide(self, states, budgets, streams):
        moves = self.exact.perfect_moves(states).astype(np.float32)
        policy = moves / moves.sum(1, keepdims=True)
        values = self.exact.values(states).astype(np.float32)
        return Decision(sample_rows(streams, policy), policy, values, np.zeros(len(states), np.int64))
