"""How a study's agents are matched; kept apart so that settings can be checked before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from training.settings import SettingsError


@dataclass
class Arena:
    """The pool and the schedule; see docs/ratings.md for why they are as they are."""

    strategy: str = "puct"  # what uses the snapshots at test time
    settings: dict[str, Any] | None = None  # of the strategy, where its own defaults are not wanted
    budgets: list[int] = field(default_factory=lambda: [1, 4, 16, 64])  # evaluations per move, one agent each
    snapshots: int | None = None  # at most this many per run, evenly spaced, first and last kept
    openings: int = 32  # per pair; each is played twice, colours swapped
    opening_moves: int = 2  # random moves in an opening
    sample: bool = False  # draw moves from the search policy from the empty board (Jones 2021)
    rounds: int = 4  # each pairs agents by the ratings so far
    opponents: int = 3  # per agent and round
    anchor_games: bool = True  # the strongest agents also meet the perfect player in every round
    seed: int = 0

    def __post_init__(self):
        if not self.budgets or min(self.budgets) < 1 or len(set(self.budgets)) < len(self.budgets):
            raise SettingsError(f"arena.budgets={list(self.budgets)} cannot be: expected different numbers from 1 up")
        for name, low in {"openings": 1, "opening_moves": 0, "rounds": 1, "opponents": 1, "seed": 0}.items():
            if getattr(self, name) < low:
                raise SettingsError(f"arena.{name}={getattr(self, name)} cannot be: expected at least {low}")
        if self.snapshots is not None and self.snapshots < 1:
            raise SettingsError(f"arena.snapshots={self.snapshots} cannot be: expected at least 1, or null for all")
        if self.opening_moves == 0 and not self.sample:
            raise SettingsError(
                "arena.opening_moves=0 with arena.sample=false would replay one game: set one of them otherwise"
            )

    def strategy_settings(self) -> dict[str, Any]:
        """What the strategy is built with; `sample` only where it is wanted, so that not every one must know it."""
        return ({"sample": True} if self.sample else {}) | (self.settings or {})
