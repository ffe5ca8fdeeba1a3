"""One training run: its parts, its folder, and how both are made, saved and taken up again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from agents.fingerprint import fingerprint
from agents.network import NetworkEvaluator, make_network
from agents.snapshot import save_snapshot
from games import Game
from mcts import Rule
from training.boards import Board, games_of, networks_on
from training.checkpoint import Arrays, CheckpointError, load_checkpoint, save_checkpoint
from training.learner import Learner
from training.ledger import Ledger
from training.replay import Replay
from training.selfplay import Played, SelfPlay
from training.settings import Training


@dataclass(frozen=True)
class Recipe:
    """Everything a run's result depends on."""

    game: Game  # its size is that of training.boards where these are given
    network: dict  # name and settings of the family
    rule: Rule
    training: Training
    seed: int
    device: str = "cpu"
    precision: str = "float32"  # of self-play's forward passes; the learner's are float32


class Run:
    """The parts of a run in FOLDER: `snapshots/` and `checkpoint/`; taken up from the checkpoint if there is one."""

    def __init__(self, recipe: Recipe, folder: Path):
        self.recipe, self.folder, self.settings = recipe, folder, recipe.training
        games = games_of(recipe.game, self.settings.boards)
        network = make_network(game=games[0], seed=recipe.seed, **recipe.network)
        self.learner = Learner(network, self.settings, recipe.seed, recipe.device)
        self.boards = [
            Board(
                laid, NetworkEvaluator(laid, recipe.device, recipe.precision),
                SelfPlay(game, self.settings, recipe.rule, recipe.seed, number),
                Replay(game, self.settings.replay_positions),
            ) for number, (game, laid) in enumerate(zip(games, networks_on(network, games), strict=True))
        ]  # fmt: skip
        self.ledger = Ledger()
        self.snapshots = 0  # written so far
        self._checkpoint = folder / "checkpoint" / "state.safetensors"
        if self._checkpoint.exists():
            self._restore()

    @property
    def board(self) -> Board:
        """Whose turn it is: a board's games play one move each, then the next board's."""
        return self.boards[self.ledger.positions // self.settings.games % len(self.boards)]

    @property
    def share(self) -> float:
        """How much of the run is done, from 0 to 1."""
        by_flops = self.settings.train_flops > 0
        done = self.ledger.train_flops if by_flops else self.ledger.positions
        return min(1.0, done / (self.settings.train_flops if by_flops else self.settings.positions))

    @property
    def finished(self) -> bool:
        return self.share == 1.0

    def count(self, board: Board, played: Played, learnt: bool) -> None:
        """Enter one lockstep move on a board and the learner steps after it in the ledger."""
        samples = self.settings.steps_per_move * self.settings.batch if learnt else 0
        self.ledger.positions += self.settings.games
        self.ledger.games += len(played.lengths)
        self.ledger.simulations += played.simulations
        self.ledger.evaluations += played.evaluations
        self.ledger.learner_samples += samples
        self.ledger.selfplay_flops += played.evaluations * board.network.forward_flops
        self.ledger.learner_flops += samples * board.network.learner_flops

    def snapshot_due(self, flops_before: int) -> bool:
        """Whether log10 train FLOPs crossed a multiple of 1 / snapshots_per_decade, or the run is at its end.

        The grid is the same for all runs; nothing is written before the learner's first step.
        """
        if self.ledger.learner_samples == 0:
            return False
        rung = [math.floor(self.settings.snapshots_per_decade * math.log10(max(flops, 1)))
                for flops in (flops_before, self.ledger.train_flops)]  # fmt: skip
        return self.finished or self.snapshots == 0 or rung[0] < rung[1]

    def save_snapshot(self) -> Path:
        """Write the next snapshot with the ledger's counts and, where there are several, the boards of the run."""
        path = self.folder / "snapshots" / f"{self.snapshots:03d}.safetensors"
        record = {"index": self.snapshots, "ledger": self.ledger.counts()}
        first, several = self.boards[0], len(self.boards) > 1
        record |= {"boards": [board.game.settings for board in self.boards]} if several else {}
        save_snapshot(path, first.game, first.network, record)
        self.snapshots += 1
        return path

    def save_checkpoint(self) -> None:
        room = [board.selfplay.room for board in self.boards]
        rules = [fingerprint(board.game) for board in self.boards]
        record = {"ledger": self.ledger.everything(), "snapshots": self.snapshots, "room": room, "rules": rules}
        save_checkpoint(self._checkpoint, self._parts(), record)

    def _restore(self) -> None:
        record = load_checkpoint(self._checkpoint, self._stored_parts)
        del record["ledger"]["train_flops"]
        self.ledger = Ledger(**record["ledger"])
        self.snapshots = record["snapshots"]

    def _stored_parts(self, record: dict) -> dict[str, Arrays]:
        for board, rules in zip(self.boards, record.get("rules", []), strict=False):
            if rules != fingerprint(board.game):
                raise CheckpointError(f"{self.folder} was trained under other rules of {board.game.title} than it "
                                      "has now, as random games show: restore the game as it was, or delete that "
                                      "folder to train again")  # fmt: skip
        for board, moves in zip(self.boards, record.get("room", []), strict=False):
            board.selfplay.make_room(moves)
        return self._parts()

    def _parts(self) -> dict[str, Arrays]:
        parts: dict[str, Arrays] = {}
        for number, board in enumerate(self.boards):
            mark = number or ""  # none for the first, so that a run without boards keeps its names
            parts |= {f"selfplay{mark}": board.selfplay.arrays(), f"replay{mark}": board.replay.arrays()}
        return parts | {"learner": self.learner.arrays()}
