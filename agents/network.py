"""What a network family promises, and finding one by name.

A family is one file of agents/networks/ (or `package.module:Class` elsewhere): a Network subclass whose constructor
takes the game and the family's settings. It sees planes in the mover's frame and answers in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch

from agents.dense import SMALLEST_BATCH
from games import Game, registry


class NetworkError(ValueError):
    """A network, setting or weight file that cannot be; the message names value, expectation and remedy."""


Answer = tuple[np.ndarray, np.ndarray]  # logits float32 [B, A], value float32 [B]

PRECISIONS = ("float32", "bfloat16")


class Network(torch.nn.Module):
    """Planes float32 [B, P, H, W] -> logits [B, A] in the mover's frame, value [B] in [-1, 1] for the mover."""

    name: str
    any_size: ClassVar[bool] = False  # whether one set of weights plays every size of a game, see `on`
    settings: dict[str, int]  # what `make_network(name, game, **settings)` was called with
    forward_flops: int  # of one position; 1 multiply-add = 2 FLOPs; activations and biases are not counted
    learner_flops: int  # of one sample, forward and backward, counted the same way

    def forward_pass(self, precision: str = "float32") -> Callable[[np.ndarray], Answer] | None:
        """A quicker equal of `forward` on the CPU: planes -> logits, value, in numpy; None where there is none.

        It must follow updates of the weights in place, and a row's answer must not depend on its batch.
        """
        return None

    def on(self, game: Game) -> Network:
        """This network at another size of its game: another object with the same parameters in memory.

        Only of families with `any_size`, and where planes and kinds of actions stay the same; else NetworkError.
        """
        raise NetworkError(f"a network {self.name!r} has weights for one size: {game.title} needs one of its own, or a "
                           "family for any size, such as network=conv")  # fmt: skip

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
    registry.check_settings(f"network {name!r}", cls, settings, NetworkError, given=("game",))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cls(game, **settings)


class NetworkEvaluator:
    """Runs a network for the search: numpy in, numpy out, on any device. It follows updates of the weights in place.

    precision: "bfloat16" for products of 8 bits of mantissa, where the device has them.
    Raises NetworkError for another precision.
    """

    def __init__(self, network: Network, device: str | torch.device = "cpu", precision: str = "float32"):
        if precision not in PRECISIONS:
            raise NetworkError(f"precision={precision!r} cannot be: expected one of {', '.join(PRECISIONS)}")
        self.network = network.to(device).eval()
        self.device, self.precision = torch.device(device), precision
        self._forward_pass = self.network.forward_pass(precision) if self.device.type == "cpu" else None
        if self.device.type != "cpu":
            self.submit = self._submit  # the search keeps two half-batches in flight where there is one

    def __call__(self, planes: np.ndarray) -> Answer:
        """Planes float32 [B, P, H, W] -> logits float32 [B, A], value float32 [B]."""
        if self._forward_pass is not None:
            return self._forward_pass(planes)
        return self._submit(planes)()

    def _submit(self, planes: np.ndarray) -> Callable[[], Answer]:
        """Begin a forward pass; the function returned waits for its answer. The planes may be written to at once."""
        count = len(planes)
        rows = torch.from_numpy(planes)
        if count < SMALLEST_BATCH:  # a row's search must not depend on how many others share its batch
            rows = torch.nn.functional.pad(rows, (0, 0) * (rows.dim() - 1) + (0, SMALLEST_BATCH - count))
        pinned = self.device.type == "cuda"
        rows = rows.pin_memory() if pinned else rows.clone()
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, self.precision == "bfloat16"):
            logits, value = self.network(rows.to(self.device, non_blocking=True))
        answer = [part.float().to("cpu", non_blocking=True) for part in (logits, value)]
        ready = torch.cuda.Event() if pinned else None
        if ready is not None:
            ready.record()

        def wait() -> Answer:
            if ready is not None:
                ready.synchronize()
            logits, value = (part.numpy()[:count] for part in answer)
            return logits, value

        return wait


def int_setting(network: str, key: str, value, low: int, high: int) -> int:
    """`value` as an integer in [low, high]; raises NetworkError naming network, key and range."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise NetworkError(f"network {network!r}: {key}={value!r} cannot be: expected an integer from {low} to {high}")
    return int(value)
