"""A game against an agent in the terminal.

    python -m experiments.against snapshot=PATH budget=1000 side=second

Moves are written as the board's letters and numbers say; `moves` lists the legal ones, `undo` takes your last one back
with what followed. The end of the input (Ctrl-D) or Ctrl-C leaves the game and prints the moves that take it up again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from omegaconf import DictConfig

from agents.agent import Strategy, make_strategy, strategy_class
from agents.network import NetworkEvaluator
from agents.snapshot import find_snapshot, game_of, load_snapshot
from experiments import threads
from experiments.command import one_line_errors, run_application, typed
from experiments.position import read_move
from games import Game, GameError, make
from mcts.streams import seed_streams
from training.settings import SettingsError

SIDES = ("first", "second")


@dataclass
class Against:
    """Settings of the command; see configs/against.yaml."""

    snapshot: str | None = None
    strategy: str = "puct"
    budget: int = 1000
    settings: dict[str, Any] | None = None
    game: dict[str, Any] | None = None
    side: str = "first"
    moves: str = ""
    seed: int = 0
    device: str = "cpu"
    precision: str = "float32"
    threads: Any = threads.AUTO

    def __post_init__(self):
        threads.check(self.threads)
        if self.side not in SIDES:
            raise SettingsError(f"side={self.side} cannot be: expected first or second")
        for name, low in {"budget": 1, "seed": 0}.items():
            if getattr(self, name) < low:
                raise SettingsError(f"{name}={getattr(self, name)} cannot be: expected at least {low}")
        if self.snapshot is not None:
            self.snapshot = str(find_snapshot(Path(self.snapshot)))
        elif strategy_class(self.strategy).uses_network:
            raise SettingsError(f"snapshot is not given: strategy={self.strategy} needs the weights of a network")
        elif self.game is None:
            raise SettingsError("neither snapshot nor game is given: expected such as 'game={name: hex, size: 5}'")


def opponent(asked: Against) -> tuple[Game, Strategy]:
    """The game and who plays it. Raises SettingsError, GameError, AgentError or NetworkError for what cannot be."""
    path = None if asked.snapshot is None else Path(asked.snapshot)
    game = make(**(asked.game or {})) if path is None else game_of(path, asked.game)
    evaluator = None
    if path is not None and strategy_class(asked.strategy).uses_network:
        network = load_snapshot(path, game).network
        threads.take(asked.threads, [network], asked.device)
        evaluator = NetworkEvaluator(network, asked.device, asked.precision)
    return game, make_strategy(asked.strategy, game, evaluator, **(asked.settings or {}))


class Table:
    """One game: the moves so far, and whose turn it is."""

    def __init__(self, game: Game, strategy: Strategy, asked: Against):
        self.game, self.strategy, self.budget, self.you = game, strategy, asked.budget, SIDES.index(asked.side)
        self.streams = seed_streams(asked.seed, np.arange(1))
        self.states, self.actions = [game.reset(1)[0]], []  # type: list[np.ndarray], list[int]
        for word in asked.moves.split():
            self.play(read_move(game, self.states[-1], word))

    @property
    def over(self) -> bool:
        return bool(self.game.over(self.states[-1][None])[0])

    @property
    def yours(self) -> bool:
        return int(self.game.to_move(self.states[-1][None])[0]) == self.you

    @property
    def moves(self) -> str:
        return " ".join(map(self.game.action_text, self.actions))

    def play(self, action: int) -> None:
        self.states.append(self.game.play(self.states[-1], action))
        self.actions.append(action)

    def undo(self) -> bool:
        """Back to before your last move; False if there is none."""
        movers = [int(self.game.to_move(state[None])[0]) for state in self.states[:-1]]
        if self.you not in movers:
            return False
        back = len(movers) - movers[::-1].index(self.you)
        del self.states[back:], self.actions[back - 1 :]
        return True

    def answer(self) -> str:
        """The agent's move, played, as text with what it thinks of the game."""
        states, budgets = self.states[-1][None].copy(), np.array([self.budget], np.int32)
        past = [np.array([self.actions], np.int64)] if self.strategy.uses_history else []
        decision = self.strategy.decide(states, budgets, self.streams, *past)
        self.strategy.refuse_unsound(self.game, self.states[-1][None], budgets, decision)
        self.play(int(decision.actions[0]))
        value = "" if np.isnan(decision.value[0]) else f", value {decision.value[0]:+.2f} for the agent"
        return f"agent: {self.game.move_text(self.states[-2], self.actions[-1])}{value}"

    def legal(self) -> list[str]:
        state = self.states[-1]
        return [self.game.move_text(state, int(action)) for action in np.flatnonzero(self.game.legal(state[None])[0])]


def play(table: Table, ask: Callable[[str], str]) -> None:
    """Play to the end; `ask` answers a prompt with a line, or raises EOFError or KeyboardInterrupt to leave."""
    while not table.over:
        if not table.yours:
            print(table.answer(), flush=True)
            continue
        print(f"\n{table.game.draw(table.states[-1])}")
        _your_turn(table, ask)
    print(f"\n{table.game.draw(table.states[-1])}")
    result = int(table.game.result(table.states[-1][None])[0]) * (1 - 2 * table.you)
    print({1: "you have won", 0: "a draw", -1: "the agent has won"}[result])


def _your_turn(table: Table, ask: Callable[[str], str]) -> None:
    legal = table.legal()
    while True:
        words = ask("your move: " if len(legal) > 1 else f"your move, which can only be {legal[0]}: ").split()
        if words == ["undo"]:
            if table.undo():
                return
            print("there is no move of yours to take back")
        elif words == ["moves"]:
            print(" ".join(legal))
        elif len(words) == 1:
            try:
                return table.play(read_move(table.game, table.states[-1], words[0]))
            except GameError as error:
                print(str(error).splitlines()[0])
        else:
            print(f"expected a move such as {legal[0]}, or moves, or undo")


# ---- command -------------------------------------------------------------------------------------------------------


@one_line_errors
def command(config: DictConfig) -> None:
    """Play the game; a game that is left says how to take it up again."""
    asked = typed(Against, config)
    table = Table(*opponent(asked), asked)
    try:
        play(table, input)
    except (EOFError, KeyboardInterrupt) as left:
        print(f"\nleft; moves='{table.moves}' takes the game up again", file=sys.stderr)
        sys.exit(130 if isinstance(left, KeyboardInterrupt) else 0)


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name="against")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
