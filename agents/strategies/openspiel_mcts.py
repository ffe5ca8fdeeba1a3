"""OpenSpiel's Monte Carlo tree search with random rollouts: an opponent from outside, without a network.

UCT (Kocsis & Szepesvari 2006) as `pyspiel.MCTSBot` has it, or OpenSpiel's MCTSBot in Python for games that OpenSpiel
does not have. Its simulations are no network evaluations and are not counted as such: the budget of the arena is not
used.
"""

import numpy as np

from agents.agent import AgentError, Decision, Strategy
from agents.openspiel import known
from agents.openspiel_guest import in_openspiel
from mcts.streams import uniform


class OpenSpielMCTS(Strategy):
    """`simulations` per move, each valued by `rollouts` random games; `c` weighs exploration (OpenSpiel's own 2)."""

    name = "openspiel_mcts"
    uses_network = False
    uses_budget = False
    uses_history = True

    def __init__(self, game, simulations: int = 1000, rollouts: int = 1, c: float = 2.0):
        for key, value, low in (
            ("simulations", simulations, 2),
            ("rollouts", rollouts, 1),
        ):  # the root's own is the first
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= 10**7:
                raise AgentError(
                    f"openspiel_mcts: {key}={value!r} cannot be: expected an integer from {low} to {10**7}"
                )
        if isinstance(c, bool) or not isinstance(c, int | float) or not 0 <= c < float("inf"):
            raise AgentError(f"openspiel_mcts: c={c!r} cannot be: expected a number of at least 0")
        self.counterpart = in_openspiel(game)
        self.simulations, self.rollouts, self.c = simulations, rollouts, float(c)

    def decide(self, states, budgets, streams, histories=None):
        """The move that OpenSpiel picks (proven, else most visited); policy: shares of visits.

        The value is the proven one where the search came to the end of the game, else the mean over all visits.
        """
        moves, B, A = known(histories, states), len(states), self.counterpart.game.num_actions
        policy, value = np.zeros((B, A), np.float32), np.zeros(B, np.float32)
        actions = np.zeros(B, np.int64)
        for b in range(B):
            seed, position = int(uniform(streams, b) * 2**31), self.counterpart.position(moves[b])
            root = self.counterpart.mcts_bot(self.c, self.simulations, self.rollouts, seed).mcts_search(position)
            for child in root.children:
                policy[b, self.counterpart.ours[child.action]] = child.explore_count
            actions[b] = self.counterpart.ours[root.best_child().action]
            policy[b] /= policy[b].sum()
            value[b] = self._value(root, position.current_player())
        return Decision(actions, policy, value, np.zeros(B, np.int64))

    @staticmethod
    def _value(root, player):
        """For `player`, who is to move; what a child has gathered is seen by the player who chose it."""
        if root.outcome:
            return root.outcome[player]
        visits = sum(child.explore_count for child in root.children)
        return sum(child.total_reward for child in root.children) / visits
