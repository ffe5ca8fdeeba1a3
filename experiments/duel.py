"""Two agents against each other, without a study.

    python -m experiments.duel snapshot=PATH budget=64 opponent=openspiel_mcts simulations=1000 games=200

Openings are random moves; each is played twice, colours swapped. The result is JSON: games won, drawn and lost by the
agent, its share of the points with a 95 % interval, the same as first and as second player, and what both spent; with
exact=true also how often each side fell short of what perfect play makes of its openings.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from omegaconf import DictConfig

from agents.agent import make_strategy, strategy_class
from agents.network import Network, NetworkEvaluator
from agents.snapshot import find_snapshot, game_of, load_snapshot
from experiments import threads
from experiments.command import one_line_errors, run_application, typed
from experiments.play import Player, Protocol, make_openings, play_pairs
from games import Game, make
from games.exact import Exact, solver
from games.files import refuse_unwritable, write_text
from training.settings import SettingsError

Z = 1.959964  # standard deviations of a 95 % interval


@dataclass
class Duel:
    """Settings of the command; see configs/duel.yaml."""

    snapshot: str | None = None
    strategy: str = "puct"
    budget: int = 64
    settings: dict[str, Any] | None = None
    opponent: str = "random"
    opponent_snapshot: str | None = None
    opponent_budget: int | None = None
    opponent_settings: dict[str, Any] | None = None
    simulations: int | None = None
    game: dict[str, Any] | None = None
    games: int = 200
    opening_moves: int = 2
    seed: int = 0
    device: str = "cpu"
    precision: str = "float32"
    opponent_precision: str = "float32"
    threads: Any = threads.AUTO
    exact: bool = False
    out: str | None = None

    def __post_init__(self):
        threads.check(self.threads)
        if self.games < 2 or self.games % 2:
            raise SettingsError(f"games={self.games} cannot be: expected an even number from 2 up, since every opening "
                                "is played with both colours")  # fmt: skip
        for name, low in {"budget": 1, "opening_moves": 1, "seed": 0}.items():
            if getattr(self, name) < low:
                raise SettingsError(f"{name}={getattr(self, name)} cannot be: expected at least {low}")
        if self.opponent_budget is not None and self.opponent_budget < 1:
            raise SettingsError(f"opponent_budget={self.opponent_budget} cannot be: expected at least 1, or null")
        for name in ("snapshot", "opponent_snapshot"):
            if getattr(self, name) is not None:
                setattr(self, name, str(find_snapshot(Path(getattr(self, name)))))

    def sides(self) -> list[Side]:
        """The agent, then its opponent, who borrows the snapshot and the budget where it has none of its own."""
        short = {} if self.simulations is None else {"simulations": self.simulations}
        second = self.opponent_budget or self.budget
        return [Side("agent", self.strategy, self.snapshot, self.budget, self.settings or {}, self.precision),
                Side("opponent", self.opponent, self.opponent_snapshot or self.snapshot, second,
                     (self.opponent_settings or {}) | short, self.opponent_precision)]  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One of the two: what plays, with which weights."""

    name: str
    strategy: str
    snapshot: str | None
    budget: int
    settings: dict[str, Any]
    precision: str

    @property
    def uses_network(self) -> bool:
        return strategy_class(self.strategy).uses_network

    def network(self, game: Game) -> Network | None:
        if not self.uses_network or self.snapshot is None:
            return None
        return load_snapshot(Path(self.snapshot), game).network

    def player(self, game: Game, network: Network | None, device: str) -> Player:
        evaluator = None if network is None else NetworkEvaluator(network, device, self.precision)
        return Player(self.name, make_strategy(self.strategy, game, evaluator, **self.settings), self.budget)

    def described(self) -> dict:
        """What of it matters, for the record."""
        cls = strategy_class(self.strategy)
        described: dict = {"strategy": self.strategy} | ({"settings": self.settings} if self.settings else {})
        described |= {"snapshot": self.snapshot, "precision": self.precision} if cls.uses_network else {}
        return described | ({"budget": self.budget} if cls.uses_budget else {})


def play_duel(duel: Duel) -> dict:
    """The duel's record. Raises SettingsError, GameError, AgentError or NetworkError for what cannot be played."""
    sides = duel.sides()
    game = _game(duel, sides)
    networks = [side.network(game) for side in sides]
    players = [side.player(game, network, duel.device) for side, network in zip(sides, networks, strict=True)]
    taken = threads.take(duel.threads, filter(None, networks), duel.device)
    begun = time.perf_counter()
    protocol = Protocol(duel.games // 2, duel.opening_moves, duel.seed)
    exact = solver(game) if duel.exact else None
    row = play_pairs(game, players, [(0, 1)], protocol, 0, exact)[0]
    judged = {} if exact is None else {"exact": judgement(row, opening_values(game, protocol, exact))}
    return {"game": game.title, **{side.name: side.described() for side in sides}, **result(row), **judged,
            "protocol": row["protocol"], "seed": duel.seed, "threads": taken, "outcomes": row["outcomes"],
            "seconds": round(time.perf_counter() - begun, 2)}  # fmt: skip


def _game(duel: Duel, sides: list[Side]) -> Game:
    """The game as `game` says; what it leaves out, such as the name, is that of the first snapshot."""
    if "name" in (given := duel.game or {}):
        return make(**given)
    for side in sides:
        if side.snapshot is not None:
            return game_of(Path(side.snapshot), given)
    raise SettingsError("nothing says which game to play: expected snapshot=PATH, or game='{name: hex, size: 5}'")


def result(row: dict) -> dict:
    """What a row of matches.csv says of its first agent."""
    games, distinct = row["games"], row["distinct_games"]
    half, points = games // 2, row["wins_a"] + row["draws"] / 2
    first = (row["wins_a_first"] + row["draws_a_first"] / 2) / half
    record = {
        "games": games, "distinct_games": distinct, "wins": row["wins_a"], "draws": row["draws"],
        "losses": row["wins_b"], "share": points / games, "interval": interval(points / games, distinct),
        "share_first": first, "share_second": points / half - first,
    }  # fmt: skip
    for name, side in (("agent", "a"), ("opponent", "b")):
        record[f"{name}_evaluations_per_move"] = row[f"evaluations_{side}"] / max(row[f"moves_{side}"], 1)
    return record


def opening_values(game: Game, protocol: Protocol, exact: Exact) -> np.ndarray:
    """The value of each opening for player 0, int [openings]."""
    openings = make_openings(game, protocol, 0)
    return exact.values(openings).astype(int) * (1 - 2 * game.to_move(openings).astype(int))


def judgement(row: dict, values: np.ndarray) -> dict:
    """Per side what perfect play says of its games: `values` [openings] are those for player 0.

    A game is won at the start if perfect play would win it from its opening, and falls short of its value if the side
    ends with less than that.
    """
    worth = np.stack([values, -values], 1).ravel()  # of each game for the agent, who is player 0 in every other one
    got = np.array(["ldw".index(letter) - 1 for letter in row["outcomes"]])
    return {side: {"won_at_the_start": int((sign * worth == 1).sum()),
                   "of_these_won": int(((sign * worth == 1) & (sign * got == 1)).sum()),
                   "short_of_value": int((sign * got < sign * worth).sum()),
                   "moves": row[f"moves_{letter}"], "moves_that_kept_the_value": row[f"optimal_{letter}"]}
            for side, letter, sign in (("agent", "a", 1), ("opponent", "b", -1))}  # fmt: skip


def interval(share: float, count: int) -> list[float]:
    """The 95 % interval of a share of `count` points (Wilson 1927, JASA 22, p. 209).

    `count` is the number of different games, since one that is played again teaches nothing. A draw is taken for half a
    win and half a loss and the two games of an opening for unrelated, which both make the interval wider, not narrower.
    """
    middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    spread = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2)) / (1 + Z**2 / count)
    return [max(0.0, middle - spread), min(1.0, middle + spread)]


# ---- command -------------------------------------------------------------------------------------------------------


@one_line_errors
def command(config: DictConfig) -> None:
    """Play, print the record, and write it where `out` says."""
    duel = typed(Duel, config)
    if duel.out is not None:
        refuse_unwritable(Path(duel.out).parent)
    text = json.dumps(play_duel(duel), indent=1)
    print(text)
    if duel.out is not None:
        write_text(Path(duel.out), text + "\n")


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name="duel")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
