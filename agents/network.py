"""What a network family promises, and finding one by name.

A family is one file of agents/networks/ (or `package.module:Class` elsewhere): a Network subclass whose constructor
takes the game and the family's settings. It sees planes in the mover's frame and answers in it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from games import Game, registry


class NetworkError(ValueError):
    """A network, setting or weight file that cannot be; the message names value, expectation and remedy."""


class Network(torch.nn.Module):
    """Planes float32 [B, P, H, W] -> logits [B, A] in the mover's frame, value [B] in [-1, 1] for the mover."""

    name: str
    settings: dict[str, int]  # what `make_network(name, game, **settings)` was called with
    forward_flops: int  # of one position; 1 multiply-add = 2 FLOPs; activations and biases are not counted
    learner_flops: int  # of one sample, forward and backward, counted the same way

    @property
    def title(self) -> str:
        """Short name, such as `64x2`."""
        return "x".join(str(value) for value in self.settings.values())

    @property
    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def make_network(name: str, game: Game, seed: int = 0, **settings) -> Network:
    """A freshly initialised network; the same seed gives the same weights.

    Raises NetworkError for an unknown family or setting, or an impossible value.
    """
    cls = registry.find(name, "agents.networks", Network, NetworkError)
    registry.check_settings(f"network {name!r}", cls, settings, NetworkError, given=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cls(game, **settings)


SMALLEST_BATCH = 8
"""Smaller batches are padded to this: matrix products of very few rows round differently, and a row's search must not
depend on how many others share its batch."""


SMALLEST_OUTPUT = 16


class Linear(torch.nn.Linear):
    """A linear layer whose answer for a row does not depend on the row's place in the batch.

    Matrix products with fewer than 12 columns round by place (Intel's MKL, measured in tests/agents/test_networks.py),
    so narrow layers are widened with zeros while nothing is learnt. The zeros do not count as FLOPs.
    """

    def forward(self, x):
        missing = SMALLEST_OUTPUT - self.out_features
        if missing <= 0 or torch.is_grad_enabled():
            return super().forward(x)
        wide = functional.linear(
            x, functional.pad(self.weight, (0, 0, 0, missing)), functional.pad(self.bias, (0, missing))
        )
        return wide[:, : self.out_features]


class NetworkEvaluator:
    """Runs a network for the search: numpy in, numpy out, on any device."""

    def __init__(self, network: Network, device: str | torch.device = "cpu"):
        self.network = network.to(device).eval()
        self.device = torch.device(device)

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Planes float32 [B, P, H, W] -> logits float32 [B, A], value float32 [B]."""
        count = len(planes)
        if count < SMALLEST_BATCH:
            planes = np.concatenate([planes, np.zeros((SMALLEST_BATCH - count, *planes.shape[1:]), np.float32)])
        with torch.inference_mode():
            logits, value = self.network(torch.from_numpy(planes).to(self.device))
        return logits.cpu().numpy()[:count], value.cpu().numpy()[:count]


def int_setting(network: str, key: str, value, low: int, high: int) -> int:
    """`value` as an integer in [low, high]; raises NetworkError naming network, key and range."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise NetworkError(f"network {network!r}: {key}={value!r} cannot be: expected an integer from {low} to {high}")
    return int(value)
