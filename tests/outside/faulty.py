"""A network, a rule, a game and a strategy that break promises, as somebody else may write them."""

import torch

from agents.agent import Strategy
from agents.network import Network
from games.tictactoe import TicTacToe
from mcts import Rule


class NoValue(Network):
    """Answers with logits alone."""

    def __init__(self, game):
        super().__init__()
        self.settings = {}
        self.layer = torch.nn.Linear(1, game.num_actions)
        self.forward_flops = self.learner_flops = 2

    def forward(self, planes):
        return self.layer(planes[:, 0, 0, :1])


class Silent(Rule):
    """Has no methods of its own."""


class Needy(TicTacToe):
    """Has a setting without a default."""

    def __init__(self, depth):
        super().__init__()


class Alone(Strategy):
    """Takes no evaluator."""

    def __init__(self, game):
        self.game = game
