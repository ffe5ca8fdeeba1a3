"""Fully connected residual network, the family of Jones 2021 (arXiv 2104.03113, section 3.2).

    x = W0 planes + b0;   depth times  x = x + alpha relu(x) W + b;   logits, value = heads(relu(x))

The blocks are ReZero (Bachlechner et al. 2020, arXiv 2003.04887, equation 1): alpha begins at 0, so that a network of
any depth begins as a shallow one.
"""

import torch
from torch.nn import functional

from agents.dense import Residual, forward_pass
from agents.network import Network, int_setting
from games import Game


class Block(torch.nn.Linear):
    """x + alpha (W relu(x) + b), alpha one learnt number that begins at 0."""

    def __init__(self, width: int):
        super().__init__(width, width)
        self.alpha = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return torch.addcmul(x, self.alpha, super().forward(functional.relu(x)))


class FullyConnected(Network):
    """`depth` residual blocks of `width` units between a linear input layer and linear policy and value heads."""

    name = "fc"

    def __init__(self, game: Game, width: int = 64, depth: int = 2):
        super().__init__()
        width = int_setting(self.name, "width", width, 1, 1024)
        depth = int_setting(self.name, "depth", depth, 1, 8)
        planes, height, columns = game.observation_shape
        inputs, outputs = planes * height * columns, game.num_actions + 1
        self.settings = {"width": width, "depth": depth}
        self.input = torch.nn.Linear(inputs, width)
        self.blocks = torch.nn.Sequential(*(Block(width) for _ in range(depth)))
        self.heads = torch.nn.Linear(width, outputs)  # logits, then the value before tanh
        self.forward_flops = 2 * (inputs * width + depth * width * width + width * outputs)
        # The backward pass costs the forward's twice, less the input's gradient, which nobody asks for.
        self.learner_flops = 3 * self.forward_flops - 2 * inputs * width

    def forward(self, planes):
        x = self.blocks(self.input(planes.flatten(1)))
        outputs = self.heads(functional.relu(x))
        return outputs[:, :-1], torch.tanh(outputs[:, -1])

    def forward_pass(self, precision="float32"):
        layers = [tuple(layer.parameters()) for layer in (self.input, *self.blocks, self.heads)]
        return forward_pass(Residual(layers[0], layers[1:-1], layers[-1]), precision)
