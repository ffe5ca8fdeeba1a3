"""The boards of a run: sizes of one game on which one network is trained in turns.

Each has games in flight, samples and random streams of its own; weights and optimiser are common to all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.network import Network, NetworkEvaluator
from games import Game, make, registry
from training.memory import refuse_beyond_free
from training.replay import Replay
from training.selfplay import ROOM, SelfPlay
from training.settings import SettingsError, Training


@dataclass
class Board:
    """One size of the run's game, and what is played and kept there."""

    network: Network  # the run's weights, with the FLOPs of this size
    evaluator: NetworkEvaluator
    selfplay: SelfPlay
    replay: Replay

    @property
    def game(self) -> Game:
        return self.selfplay.game


def games_of(game: Game, boards: Sequence[Mapping] | None) -> list[Game]:
    """`game` with the settings of each board in place of its own; `game` alone where boards is None.

    Raises SettingsError for settings that are no sizes and for a board named twice, GameError for impossible sizes.
    """
    if boards is None:
        return [game]
    if isinstance(boards, str) or not isinstance(boards, Sequence) or not boards or not all(map(_is_board, boards)):
        raise SettingsError(f"training.boards={boards} cannot be: expected sizes of the game, such as "
                            "[{size: 3}, {size: 4}], or null for the game as it is")  # fmt: skip
    games = [_resized(game, dict(board)) for board in boards]
    titles = [each.title for each in games]
    for title in titles:
        if titles.count(title) > 1:
            raise SettingsError(f"training.boards={boards} cannot be: {title} occurs twice; drop one")
    return games


def networks_on(network: Network, games: list[Game]) -> list[Network]:
    """`network`, which was made for the first of the games, at the size of each.

    Raises NetworkError for a family whose weights are those of one size.
    """
    return [network, *(network.on(game) for game in games[1:])]


def refuse_memory(games: list[Game], settings: Training) -> None:
    """Raises SettingsError where the positions of these boards cannot fit into the memory that is free.

    Games in flight have room for the first ROOM moves, more where one is longer; those and the replay go into each
    checkpoint.
    """
    moves = [min(game.max_length, ROOM) for game in games]
    counts = [settings.games * most + settings.replay_positions for most in moves]
    needed = sum(count * _sample_bytes(game) for count, game in zip(counts, games, strict=True))
    longest = games[moves.index(max(moves))]
    refuse_beyond_free(
        needed,
        f"training.games={settings.games} with training.replay_positions={settings.replay_positions} cannot be: "
        f"positions of {longest.title}, of {max(moves)} moves a game at first,", "lower one of them",
    )  # fmt: skip


def _sample_bytes(game: Game) -> int:
    """Of one of `training.selfplay.Samples`: planes, policy and value."""
    return 2 * math.prod(game.observation_shape) + 4 * game.num_actions + 4


def _is_board(entry) -> bool:
    return isinstance(entry, Mapping) and len(entry) > 0


def _resized(game: Game, board: dict) -> Game:
    for key in board:
        if key not in game.size_settings:
            raise SettingsError(f"training.boards: {key!r} in {board} is no size of a board of {game.name}: expected "
                                f"{', '.join(game.size_settings)}; rules are the same on all boards")  # fmt: skip
    return make(registry.name_of(type(game), "games"), **(game.settings | board))
