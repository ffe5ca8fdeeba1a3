"""OpenSpiel's Monte Carlo tree search with random rollouts: an opponent from outside, without a network.

UCT (Kocsis & Szepesvari 2006) as `pyspiel.MCTSBot` has it. Its simulations are no network evaluations and are not
counted as such: the budget of the arena is not used.
"""

import numpy as np
import pyspiel

from agents.agent import AgentError, Decision, Strategy
from agents.openspiel import Counterpart
from mcts.streams import uniform

MEMORY_MB = 1000  # of a search tree, a bound of OpenSpiel's


class OpenSpielMCTS(Strategy):
    """`simulations` per move, each valued by `rollouts` random games; `c` weighs exploration (OpenSpiel's own 2)."""

    name = "openspiel_mcts"
    uses_network = False
    uses_budget = False
    uses_history = True

    def __init__(self, game, simulations: int = 1000, rollouts: int = 1, c: float = 2.0):
        for key, value in {"simulations": simulations, "rollouts": rollouts}.items():
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10**7:
                raise AgentError(f"openspiel_mcts: {key}={value!r} cannot be: expected an integer from 1 to {10**7}")
        if isinstance(c, bool) or not isinstance(c, int | float) or not 0 <= c < float("inf"):
            raise AgentError(f"openspiel_mcts: c={c!r} cannot be: expected a number of at least 0")
        self.counterpart = Counterpart(game)
        self.simulations, self.rollouts, self.c = simulations, rollouts, float(c)

    def decide(self, states, budgets, streams, histories=None):
        """The most visited move; policy: shares of visits; value: mean result of the visits."""
        moves, B, A = self.counterpart.known(histories, states), len(states), self.counterpart.game.num_actions
        policy, value = np.zeros((B, A), np.float32), np.zeros(B, np.float32)
        actions = np.zeros(B, np.int64)
        for b in range(B):
            seed = int(uniform(streams, b) * 2**31)
            root = self._bot(seed).mcts_search(self.counterpart.position(moves[b]))
            for child in root.children:
                policy[b, self.counterpart.ours[child.action]] = child.explore_count
                value[b] += child.total_reward
            actions[b] = self.counterpart.ours[root.best_child().action]
        visits = np.maximum(policy.sum(1), 1)
        return Decision(actions, policy / visits[:, None], value / visits, np.zeros(B, np.int64))

    def _bot(self, seed):
        evaluator = pyspiel.RandomRolloutEvaluator(self.rollouts, seed)
        return pyspiel.MCTSBot(self.counterpart.reference, evaluator, self.c, self.simulations, MEMORY_MB, solve=True,
                               seed=seed, verbose=False)  # fmt: skip
