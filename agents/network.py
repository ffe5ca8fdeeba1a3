"""What a network family promises, and finding one by name.

A family is one file of agents/networks/ (or `package.module:Class` elsewhere): a Network subclass whose constructor
takes the game and the family's settings. It sees planes in the mover's frame and answers in it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from agents.dense import SMALLEST_BATCH
from games import Game, registry


class NetworkError(ValueError):
    """A network, setting or weight file that cannot be; the message names value, expectation and remedy."""


class Network(torch.nn.Module):
    """Planes float32 [B, P, H, W] -> logits [B, A] in the mover's frame, value [B] in [-1, 1] for the mover."""

    name: str
    settings: dict[str, int]  # what `make_network(name, game, **settings)` was called with
    forward_flops: int  # of one position; 1 multiply-add = 2 FLOPs; activations and biases are not counted
    learner_flops: int  # of one sample, forward and backward, counted the same way

    def forward_pass(self) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] | None:
        """A quicker equal of `forward` on the CPU: planes -> logits, value, in numpy; None where there is none.

        It must follow updates of the weights in place, and a row's answer must not depend on its batch.
        """
        return None

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


class NetworkEvaluator:
    """Runs a network for the search: numpy in, numpy out, on any device. It follows updates of the weights in place."""

    def __init__(self, network: Network, device: str | torch.device = "cpu"):
        self.network = network.to(device).eval()
        self.device = torch.device(device)
        self._forward_pass = self.network.forward_pass() if self.device.type == "cpu" else None

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Planes float32 [B, P, H, W] -> logits float32 [B, A], value float32 [B]."""
        if self._forward_pass is not None:
            return self._forward_pass(planes)
        count = len(planes)
        if count < SMALLEST_BATCH:  # a row's search must not depend on how many others share its batch
            planes = np.concatenate([planes, np.zeros((SMALLEST_BATCH - count, *planes.shape[1:]), np.float32)])
        with torch.inference_mode():
            logits, value = self.network(torch.from_numpy(planes).to(self.device))
        return logits.cpu().numpy()[:count], value.cpu().numpy()[:count]


def int_setting(network: str, key: str, value, low: int, high: int) -> int:
    """`value` as an integer in [low, high]; raises NetworkError naming network, key and range."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise NetworkError(f"network {network!r}: {key}={value!r} cannot be: expected an integer from {low} to {high}")
    return int(value)
