"""OpenSpiel's alpha-beta search to a depth: an opponent from outside, without a network.

`open_spiel.python.algorithms.minimax` (alpha-beta: Knuth & Moore 1975). It is plain Python: some 10 us a position, so
a depth of 3 or 4 is what a match can afford.
"""

import random

import numpy as np
from open_spiel.python.algorithms import minimax

from agents.agent import AgentError, Decision, Strategy
from agents.openspiel import known
from agents.openspiel_guest import in_openspiel
from mcts.streams import sample_rows, uniform


class OpenSpielAlphaBeta(Strategy):
    """Looks `depth` moves ahead; what lies beyond is valued by `rollouts` random games, 0 of them: as a draw.

    All moves of the best value are equally likely.
    """

    name = "openspiel_alphabeta"
    uses_network = False
    uses_budget = False
    uses_history = True

    def __init__(self, game, depth: int = 3, rollouts: int = 0):
        for key, value, low, high in (("depth", depth, 1, 100), ("rollouts", rollouts, 0, 10**6)):
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise AgentError(f"openspiel_alphabeta: {key}={value!r} cannot be: "
                                 f"expected an integer from {low} to {high}")  # fmt: skip
        self.counterpart = in_openspiel(game)
        self.depth, self.rollouts = depth, rollouts

    def decide(self, states, budgets, streams, histories=None):
        moves, B, A = known(histories, states), len(states), self.counterpart.game.num_actions
        policy, value = np.zeros((B, A), np.float32), np.zeros(B, np.float32)
        for b in range(B):
            values = self._values(self.counterpart.position(moves[b]), int(uniform(streams, b) * 2**31))
            value[b] = max(values.values())
            for action, worth in values.items():
                policy[b, self.counterpart.ours[action]] = worth == value[b]
        policy /= np.maximum(policy.sum(1, keepdims=True), 1)
        return Decision(sample_rows(streams, policy), policy, value, np.zeros(B, np.int64))

    def _values(self, position, seed):
        """What each move is worth to the player to move, by OpenSpiel's number; float32."""
        player = position.current_player()
        beyond = (lambda state: 0.0) if self.rollouts == 0 else self._rollouts(player, seed)
        return {action: np.float32(self._worth(position.child(action), player, beyond))
                for action in position.legal_actions()}  # fmt: skip

    def _worth(self, position, player, beyond):
        return minimax.alpha_beta_search(self.counterpart.reference, state=position, value_function=beyond,
                                         maximum_depth=self.depth - 1, maximizing_player_id=player)[0]  # fmt: skip

    def _rollouts(self, player, seed):
        """Mean result of random games. OpenSpiel's own evaluator in Python takes over the logging of the process."""
        rng = random.Random(seed)

        def result(position):
            position = position.clone()
            while not position.is_terminal():
                position.apply_action(rng.choice(position.legal_actions()))
            return position.player_return(player)

        return lambda position: sum(result(position) for _ in range(self.rollouts)) / self.rollouts
