"""The learner: cross-entropy to the search policy plus squared error to the result, AdamW.

Loss = -sum_a pi(a) log p(a) + w (z - v)^2, Silver et al. 2018, supplement, equation 1; weight decay is AdamW's own
(Loshchilov & Hutter 2019, arXiv 1711.05101).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from agents.network import Network
from training.replay import Replay
from training.selfplay import Samples
from training.settings import SettingsError, Training


class Losses(NamedTuple):
    """Means over one batch."""

    policy: float  # cross-entropy, nats
    value: float  # squared error of the value
    entropy: float  # entropy of the network's policy, nats


class Learner:
    """Takes optimiser steps; `arrays()` is its complete state, and step k's batch depends on seed and k alone."""

    def __init__(self, network: Network, settings: Training, seed: int, device: str = "cpu"):
        self.network, self.settings, self.seed = network.to(device), settings, seed
        self.device = torch.device(device)
        self.steps = np.zeros(1, np.int64)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self._create_moments()

    def arrays(self) -> dict[str, torch.Tensor | np.ndarray]:
        """Weights, moments and step count, by name; live."""
        arrays: dict[str, torch.Tensor | np.ndarray] = {"steps": self.steps}
        for name, parameter in self.network.named_parameters():
            arrays[f"weights.{name}"] = parameter.data
            for key, moment in self.optimizer.state[parameter].items():
                arrays[f"{key}.{name}"] = moment
        return arrays

    def learn(self, replay: Replay, share: float = 0.0, network: Network | None = None) -> Losses | None:
        """The steps that follow one lockstep move; None while there is too little to learn from.

        share: how much of the run is done, in [0, 1]; the learning rate follows it.
        network: the learner's weights at the size of these samples; None: as the learner was given them.
        Raises SettingsError once the loss is not a number any more.
        """
        if len(replay) < self.settings.batch:
            return None
        self.optimizer.param_groups[0]["lr"] = learning_rate(self.settings, share)
        steps = [self._step(replay, network or self.network) for _ in range(self.settings.steps_per_move)]
        losses = Losses(*torch.stack(steps).mean(0).tolist())
        if not np.isfinite(losses).all():
            rate = self.settings.learning_rate
            raise SettingsError(f"training diverged: {losses} after {self.steps[0]} steps; lower "
                                f"training.learning_rate={rate}")  # fmt: skip
        return losses

    def _step(self, replay: Replay, network: Network) -> torch.Tensor:
        rng = np.random.default_rng([self.seed, 2, int(self.steps[0])])
        planes, policy, value = self._to_device(replay.draw(self.settings.batch, rng))
        logits, predicted = network(planes)
        log_p = functional.log_softmax(logits, 1)
        policy_loss = -(policy * log_p).sum(1).mean()
        value_loss = functional.mse_loss(predicted, value)
        self.optimizer.zero_grad()
        (policy_loss + self.settings.value_weight * value_loss).backward()
        self.optimizer.step()
        self.steps += 1
        entropy = -(log_p.exp() * log_p).sum(1).mean()
        return torch.stack([policy_loss, value_loss, entropy]).detach()

    def _to_device(self, samples: Samples):
        return tuple(torch.from_numpy(array).to(self.device, torch.float32) for array in samples)

    def _create_moments(self) -> None:
        """Make AdamW's state before the first step, so that a checkpoint always has the same arrays."""
        for parameter in self.network.parameters():
            self.optimizer.state[parameter] = {
                "step": torch.zeros((), device=self.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }


def learning_rate(settings: Training, share: float) -> float:
    """The learning rate when `share` of the run is done: constant, then falling linearly to a tenth at the end.

    The end of a run measures what its network has learnt; without the cooldown it also measures the last steps' noise.
    """
    left = (1 - min(share, 1.0)) / settings.cooldown if settings.cooldown else 1.0
    return settings.learning_rate * (0.1 + 0.9 * min(left, 1.0))
