"""Best of n: moves are drawn from the network's policy, and the one that leads to the best position is played."""

import numpy as np

from agents.agent import Decision
from mcts.streams import sample_rows
from my_games.raw import Raw


class BestOfN(Raw):
    """A budget of b is one evaluation for the policy and at most b - 1 for the positions after moves drawn from it."""

    uses_budget = True

    def decide(self, states, budgets, streams):
        raw = super().decide(states, budgets, streams)
        drawn = np.zeros(raw.policy.shape, bool)
        for k in range(1, max(budgets, default=1)):
            rows = np.flatnonzero(budgets > k)
            own = streams[rows]  # a copy, which sample_rows advances
            drawn[rows, sample_rows(own, raw.policy[rows])] = True
            streams[rows] = own
        rows, actions = np.nonzero(drawn)
        children = states[rows]
        self.game.advance(children, actions)
        running, mover = ~self.game.over(children), self.game.to_move(children)
        value = np.where(mover == 0, 1, -1) * self.game.result(children).astype(np.float32)  # for the mover, as below
        if running.any():
            value[running] = self.evaluator(self.game.observe(children[running]))[1]
        worth = np.full(raw.policy.shape, -np.inf, np.float32)
        worth[rows, actions] = np.where(mover == self.game.to_move(states)[rows], value, -value)
        actions = np.where(drawn.any(1), worth.argmax(1), raw.actions)
        spent = 1 + np.bincount(rows[running], minlength=len(states))
        return Decision(actions, raw.policy, raw.value, spent)
