"""The compute ledger: what a run has spent so far. docs/compute.md says what is counted."""

from __future__ import annotations

import resource
import time
from dataclasses import asdict, dataclass

COUNTS = ("positions", "games", "simulations", "evaluations", "learner_samples", "selfplay_flops", "learner_flops")


@dataclass
class Ledger:
    """Counts are exact and the same whenever a run is repeated; times and memory are this machine's."""

    positions: int = 0  # self-play positions played
    games: int = 0  # self-play games ended
    simulations: int = 0
    evaluations: int = 0  # self-play forward passes, each of one position
    learner_samples: int = 0
    selfplay_flops: int = 0
    learner_flops: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0

    def __post_init__(self):
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    @property
    def train_flops(self) -> int:
        """Self-play forward passes + learner forward and backward."""
        return self.selfplay_flops + self.learner_flops

    def counts(self) -> dict[str, int]:
        """What repeats exactly, train_flops included."""
        return {name: getattr(self, name) for name in COUNTS} | {"train_flops": self.train_flops}

    def everything(self) -> dict[str, int | float]:
        """Counts, seconds and peak memory up to now."""
        self.tick()
        return asdict(self) | {"train_flops": self.train_flops}

    def tick(self) -> None:
        """Add the time since the last call; seconds of several processes of one run add up."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.wall_seconds += wall - self._wall
        self.cpu_seconds += cpu - self._cpu
        self._wall, self._cpu = wall, cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.peak_memory_mb = max(self.peak_memory_mb, peak)
