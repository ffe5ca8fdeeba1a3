"""How a study's agents are matched; kept apart so that settings can be checked before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agents.agent import AgentError, Strategy, check_strategy, default_settings, make_strategy
from games import Game
from mcts import refuse_budget
from training.settings import SettingsError

ALWAYS = ("random", "perfect")  # in every pool that can have them


@dataclass
class Outside:
    """A player without a network and without training, such as OpenSpiel's, who joins every pool of the study."""

    strategy: str
    settings: dict[str, Any] | None = None  # of the strategy, where its own defaults are not wanted
    budget: int | None = None  # for a strategy that is told how much it may search

    def title(self, game: Game) -> str:
        """Its name as an agent: hex5:openspiel_mcts-simulations=1000."""
        budget = "" if self.budget is None else str(self.budget)
        settings = "".join(f"-{key}={value}" for key, value in sorted((self.settings or {}).items()))
        return f"{game.title}:{self.strategy}{budget}{settings}"

    def make(self, game: Game) -> Strategy:
        """Raises AgentError or GameError where it cannot play `game`."""
        return make_strategy(self.strategy, game, **(self.settings or {}))

    def check(self) -> tuple[str, dict[str, Any], int | None]:
        """What tells it from other players. Raises AgentError for what no game could have among its players."""
        settings = self.settings or {}
        cls = check_strategy(self.strategy, settings)
        if self.strategy in ALWAYS:
            raise AgentError(f"arena.outside: {self.strategy} is in every pool already, where it can be: drop it")
        if cls.uses_network:
            raise AgentError(f"arena.outside: strategy {self.strategy!r} needs a network: expected one without, such "
                             "as openspiel_mcts; snapshots enter by arena.strategy and arena.budgets")  # fmt: skip
        if cls.uses_budget != (self.budget is not None) or (self.budget is not None and self.budget < 1):
            expected = "a budget of at least 1" if cls.uses_budget else "no budget, which it does not use"
            raise AgentError(f"arena.outside: {self.strategy} with budget={self.budget} cannot be: expected {expected}")
        return self.strategy, default_settings(cls) | settings, self.budget


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
    outside: list[Outside] = field(default_factory=list)  # players that nobody trained here, such as OpenSpiel's
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

    def check(self, game: Game | None = None) -> None:
        """Raises AgentError for players that cannot be, and with `game` for outside players that cannot play it.

        Also ValueError for a budget that fits into no memory, even if a single game is played.
        """
        if check_strategy(self.strategy, self.strategy_settings()).uses_budget and game is not None:
            refuse_budget(game, 1, max(self.budgets))
        known = [player.check() for player in self.outside]
        for number, (player, facts) in enumerate(zip(self.outside, known, strict=True)):
            if facts in known[:number]:
                raise AgentError(f"arena.outside names {player.strategy} with the same settings twice: drop one")
            if game is not None:
                player.make(game)
