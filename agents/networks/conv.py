"""Residual convolutional network with global pooling: one set of weights for every size of a game.

    x = W0 * (planes, ones);   depth times  u = relu(x);  x = x + alpha (W2 * relu(W1 * u + V pool(u) + v) + b)
    y = relu(x);   logits = heads(y, pool(y));   value = tanh(w relu(U pool(y) + c) + d)

`*` is a convolution of 3 x 3 cells with zeros around the board; the plane of ones shows where the board ends. pool
gives the mean and the largest value of each channel over the board, which mean the same on boards of all sizes; adding
them as a bias of each channel carries news across the board in one block (Wu 2019, arXiv 1902.10565, section 3.3, which
pools a third number, for the size itself). No layer looks at more than one position. alpha begins at 0 as in
agents/networks/fc.py.

A logit belongs to a cell, to a column or to the board, see games.core.ActionLayout; a column is pooled as the board is.
"""

import copy

import numpy as np
import torch
from torch.nn import functional

from agents.convolution import Convolutional, forward_pass
from agents.network import Network, NetworkError, int_setting
from games import Game


def pool(x, over):
    """Mean and largest value of each channel: [B, C, H, W] -> [B, 2 C, ...] over the axes `over`."""
    return torch.cat([x.mean(over), x.amax(over)], 1)


class Convolution(torch.nn.Conv2d):
    """3 x 3 cells, zeros around the board."""

    def __init__(self, inputs: int, width: int, bias: bool = True):
        super().__init__(inputs, width, 3, padding=1, bias=bias)


class Block(torch.nn.Module):
    """x + alpha (W2 * relu(W1 * u + V pool(u) + v) + b) with u = relu(x); alpha one learnt number that begins at 0."""

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = Convolution(width, width, bias=False), Convolution(width, width)
        self.pooled = torch.nn.Linear(2 * width, width)
        self.alpha = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        positive = functional.relu(x)
        shift = self.pooled(pool(positive, (2, 3)))
        inner = functional.relu(self.first(positive) + shift[:, :, None, None])
        return torch.addcmul(x, self.alpha, self.second(inner))


class Head(torch.nn.Linear):
    """A linear layer that may have no outputs."""

    def reset_parameters(self):
        if self.out_features:
            super().reset_parameters()


class Conv(Network):
    """`depth` residual blocks of `width` channels; policy by cell, column or board, value from pooled channels."""

    name = "conv"
    any_size = True

    def __init__(self, game: Game, width: int = 16, depth: int = 2):
        super().__init__()
        width = int_setting(self.name, "width", width, 1, 512)
        depth = int_setting(self.name, "depth", depth, 1, 20)
        if game.layout is None:
            raise NetworkError(
                f"network {self.name!r} cannot play {game.title}: it does not say where on the board its "
                f"{game.num_actions} actions lie; give the game a layout (games.core.ActionLayout) or choose network=fc"
            )
        self.settings = {"width": width, "depth": depth}
        self.input = Convolution(game.observation_shape[0] + 1, width)
        self.blocks = torch.nn.Sequential(*(Block(width) for _ in range(depth)))
        per_cell, per_column, per_board, _ = game.layout
        self.cells = Head(width, per_cell)
        self.columns = Head(2 * width, per_column)
        self.board = Head(2 * width, per_board)
        self.hidden, self.value = torch.nn.Linear(2 * width, width), torch.nn.Linear(width, 1)
        self._lie_on(game)

    def on(self, game):
        """These weights at another size of their game, whose positions have the same planes and kinds of actions."""
        own = (self.input.in_channels - 1, *(head.out_features for head in (self.cells, self.columns, self.board)))
        other = game.observation_shape[0], *(game.layout or ())[:3]
        if own != other:
            raise NetworkError(
                f"network {self.name!r} cannot play {game.title} too: its planes and its actions by cell, column and "
                f"board are {other}, where the network has {own}; train one for it alone"
            )
        network = copy.copy(self)
        network._lie_on(game)
        return network

    def _lie_on(self, game):
        """Fit the order of the actions and the counts of FLOPs to the game's board."""
        planes, rows, columns = game.observation_shape
        cells, width, depth = rows * columns, *self.settings.values()
        per_cell, per_column, per_board, entries = game.layout
        self.entries = torch.from_numpy(entries)
        self._in_order = bool((np.diff(entries, prepend=-1) == 1).all())
        entrance = 9 * (planes + 1) * width * cells
        blocks = depth * (2 * 9 * width * width * cells + 2 * width * width)
        heads = width * (per_cell * cells + 2 * per_column * columns + 2 * per_board + 2 * width + 1)
        self.forward_flops = 2 * (entrance + blocks + heads)
        # The backward pass costs the forward's twice, less the input's gradient, which nobody asks for.
        self.learner_flops = 3 * self.forward_flops - 2 * entrance

    def forward(self, planes):
        with_ones = functional.pad(planes, (0, 0, 0, 0, 0, 1), value=1.0)
        x = self.blocks(self.input(with_ones.contiguous(memory_format=torch.channels_last)))
        positive = functional.relu(x)
        pooled = pool(positive, (2, 3))
        heads = [self._by_cell(positive), self._by_column(positive), self.board(pooled)]
        value = torch.tanh(self.value(functional.relu(self.hidden(pooled)))[:, 0])
        numbers = torch.cat(heads, 1)
        return (numbers if self._in_order else numbers[:, self.entries]), value

    def _by_cell(self, x):
        return self.cells(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).flatten(1)

    def _by_column(self, x):
        return self.columns(pool(x, 2).transpose(1, 2)).transpose(1, 2).flatten(1)

    def forward_pass(self, precision="float32"):
        if precision == "bfloat16":
            raise NetworkError("precision=bfloat16 cannot be with network 'conv' on a processor: expected float32, or "
                               "device=cuda")  # fmt: skip
        input, *blocks, cells, columns, board, hidden, value = (
            tuple(layer.parameters())
            for layer in (self.input, *self.blocks, self.cells, self.columns, self.board, self.hidden, self.value)
        )
        heads = [cells, columns, board, hidden, value]
        return forward_pass(Convolutional(input, blocks, heads, self.entries.numpy()))
