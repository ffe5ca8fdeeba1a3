"""What a training run is told. Every field can be set on the command line: training.positions=200000."""

from dataclasses import dataclass
from typing import Any


class SettingsError(ValueError):
    """A setting that cannot be; the message names it, its value, what is expected and the remedy."""


@dataclass
class Training:
    """Self-play, replay, learner and snapshots of one run."""

    boards: list[dict[str, Any]] | None = None  # sizes of the game to train one network on, in turns; None: the game's
    positions: int = 200_000  # self-play positions to play in all; the run's length
    train_flops: float = 0.0  # if above 0, the run's length is this many train FLOPs, in place of positions
    games: int = 256  # games in lockstep, out of phase; on each board
    budget: int = 64  # evaluations per move in self-play
    full_moves: float = 1.0  # share of moves that are searched with the whole budget and learnt from (playout cap)
    fast_budget: int = 16  # evaluations of the other moves, which are played without noise and not learnt from
    reuse: bool | None = None  # keep the tree below the move played, towards the next budget; None: where that can be
    opening_moves: int = 2  # each self-play game begins with 0 to this many random moves
    noise: float = 0.25  # share of Dirichlet noise in the root's prior
    noise_concentration: float = 10.0  # Dirichlet parameter = this / number of legal actions
    replay_positions: int = 100_000  # newest positions kept to learn from; of each board
    batch: int = 512  # samples per learner step
    steps_per_move: int = 2  # learner steps after each lockstep move; uses per sample = steps * batch / games
    learning_rate: float = 4e-3
    cooldown: float = 0.3  # share of the run, at its end, over which the learning rate falls linearly to a tenth
    weight_decay: float = 1e-4
    value_weight: float = 1.0  # weight of the value loss beside the policy loss
    snapshots_per_decade: float = 2.0  # snapshots are spaced evenly in log10 train FLOPs, this many per decade
    checkpoint_seconds: float = 20.0  # wall time between checkpoints; changes no result

    def __post_init__(self):
        for name in ("positions", "games", "budget", "fast_budget", "replay_positions", "batch", "steps_per_move"):
            _require(getattr(self, name) >= 1, f"training.{name}", getattr(self, name), "a whole number of at least 1")
        _require(self.opening_moves >= 0, "training.opening_moves", self.opening_moves, "a whole number of at least 0")
        for name in ("learning_rate", "snapshots_per_decade", "checkpoint_seconds"):
            _require(getattr(self, name) > 0, f"training.{name}", getattr(self, name), "a number above 0")
        for name in ("train_flops", "weight_decay", "value_weight"):
            _require(getattr(self, name) >= 0, f"training.{name}", getattr(self, name), "a number of at least 0")
        _require(
            self.noise_concentration >= 0.1, "training.noise_concentration", self.noise_concentration,
            "a number of at least 0.1: below, all gamma numbers of a draw can be too small for a float",
        )  # fmt: skip
        _require(0 < self.full_moves <= 1, "training.full_moves", self.full_moves, "a share above 0, up to 1")
        _require(
            self.full_moves == 1 or not self.reuse, "training.reuse", self.reuse,
            f"null or false with training.full_moves={self.full_moves}, since fast moves keep no trees",
        )  # fmt: skip
        for name in ("noise", "cooldown"):
            _require(0 <= getattr(self, name) <= 1, f"training.{name}", getattr(self, name), "a share from 0 to 1")
        _require(
            self.replay_positions >= self.batch, "training.replay_positions", self.replay_positions,
            f"at least training.batch={self.batch}: raise it or lower the batch",
        )  # fmt: skip


def _require(holds: bool, name: str, value, expected: str) -> None:
    if not holds:
        raise SettingsError(f"{name}={value!r} cannot be: expected {expected}")
