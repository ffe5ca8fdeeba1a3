"""Many matches at once: all games of many pairs in lockstep, positions gathered per network whatever their budgets.

Array axes: G games, S state words, A actions.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agents.agent import Strategy
from games import Game
from games.exact import Exact
from mcts.streams import seed_streams, uniforms


@dataclass
class Player:
    """An agent that can be matched: name, strategy (shared between the budgets of one snapshot) and budget."""

    name: str
    strategy: Strategy
    budget: int


@dataclass(frozen=True)
class Protocol:
    """How openings are made: `openings` per pair of `moves` random moves, each played twice with colours swapped."""

    openings: int
    moves: int
    seed: int
    sample: bool = False  # from the empty board, with moves drawn by the strategies themselves

    def __str__(self) -> str:
        return "empty board, sampled moves" if self.sample else f"{self.moves} random opening moves"


def make_openings(game: Game, protocol: Protocol, number: int) -> np.ndarray:
    """The opening set `number`, [openings, S]: positions after random moves, unfinished, different where possible."""
    return _openings_and_moves(game, protocol, number)[0]


def _openings_and_moves(game: Game, protocol: Protocol, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The opening set `number` and the actions that led there, [openings, S] and int64 [openings, T]."""
    if protocol.sample:
        return game.reset(protocol.openings), np.zeros((protocol.openings, 0), np.int64)
    tries = 8 * protocol.openings
    for moves in range(protocol.moves, -1, -1):
        states = game.reset(tries)
        streams = seed_streams(protocol.seed, number, moves, np.arange(tries))
        actions = np.zeros((tries, moves), np.int64)
        for t in range(moves):
            rows = np.flatnonzero(~game.over(states))
            part, own = states[rows], streams[rows]
            actions[rows, t] = game.pick(part, uniforms(own))
            game.advance(part, actions[rows, t])
            states[rows], streams[rows] = part, own
        running = ~game.over(states)
        states, actions = states[running], actions[running]
        if len(states) >= protocol.openings:
            break
    _, first = np.unique(states, axis=0, return_index=True)
    order = np.concatenate([np.sort(first), np.setdiff1d(np.arange(len(states)), first)])
    chosen = order[: protocol.openings]
    return states[chosen], actions[chosen]


def play_pairs(
    game: Game,
    players: list[Player],
    pairs: list[tuple[int, int]],
    protocol: Protocol,
    number: int,
    exact: Exact | None = None,
    progress: Callable[[int], object] = lambda finished: None,
) -> list[dict]:
    """Play every pair of `players` (by index) over opening set `number`; one row of matches.csv per pair.

    `exact` adds how often each side's moves kept the game-theoretic value. A game depends on its pair, opening and the
    seed only, not on which other pairs are played with it. `progress` is told how many games have ended.
    """
    games = _Games(game, players, pairs, protocol, number, exact)
    while len(live := np.flatnonzero(~game.over(games.states))):
        games.move(live)
        progress(len(games.states) - len(live))
    return [games.row(pair) for pair in range(len(pairs))]


class _Games:
    """All games of a chunk: pair by pair, opening by opening, first with agent a moving first, then agent b."""

    def __init__(self, game, players, pairs, protocol, number, exact):
        self.game, self.players, self.pairs, self.protocol, self.exact = game, players, pairs, protocol, exact
        self.per_pair = 2 * protocol.openings
        openings, opening_moves = _openings_and_moves(game, protocol, number)
        self.opening = np.unique(openings, axis=0, return_inverse=True)[1].ravel()  # the same number for equal ones
        self.states = np.tile(np.repeat(openings, 2, axis=0), (len(pairs), 1))
        count = len(self.states)
        seats = np.array(pairs, np.int64).reshape(-1, 2)
        both = np.stack([seats, seats[:, ::-1]], 1)  # [pairs, colour, player]
        self.seats = np.tile(both[:, None], (1, protocol.openings, 1, 1)).reshape(count, 2)
        keys = [zlib.crc32(f"{players[a].name}|{players[b].name}".encode()) for a, b in pairs]
        self.streams = seed_streams(protocol.seed, number, np.repeat(keys, self.per_pair),
                                    np.tile(np.arange(self.per_pair), len(pairs)))  # fmt: skip
        self.budgets = np.array([player.budget for player in players], np.int32)
        strategies = list({id(player.strategy): player.strategy for player in players}.values())
        place = {id(strategy): number for number, strategy in enumerate(strategies)}
        self.strategies = strategies
        self.strategy_of = np.array([place[id(player.strategy)] for player in players])
        self.history = np.zeros(count, np.uint64)  # a hash of the moves
        self.past = list(np.tile(np.repeat(opening_moves, 2, axis=0), (len(pairs), 1)).T)  # [T][G]: all moves
        self.moves, self.evaluations, self.kept = (np.zeros((count, 2), np.int64) for _ in range(3))

    def move(self, live: np.ndarray) -> None:
        """One move in each live game."""
        movers = self.game.to_move(self.states[live])
        who = self.seats[live, movers]
        self.past.append(np.full(len(self.states), -1))
        for number in np.unique(self.strategy_of[who]):
            chosen = self.strategy_of[who] == number
            self._move(self.strategies[number], live[chosen], movers[chosen], who[chosen])

    def _move(self, strategy, rows, movers, who):
        states, streams = self.states[rows], self.streams[rows]
        if strategy.uses_history:
            before = np.array([actions[rows] for actions in self.past[:-1]], np.int64).reshape(-1, len(rows)).T
            decision = strategy.decide(states, self.budgets[who], streams, before)
        else:
            decision = strategy.decide(states, self.budgets[who], streams)
        states = self.states[rows]  # whatever the strategy did to its copy
        strategy.refuse_unsound(self.game, states, self.budgets[who], decision)
        self.past[-1][rows] = decision.actions
        if self.exact is not None:
            values = self.exact.action_values(states)
            self.kept[rows, movers] += values[np.arange(len(rows)), decision.actions] == values.max(1)
        self.game.advance(states, decision.actions)
        self.states[rows], self.streams[rows] = states, streams
        self.moves[rows, movers] += 1
        self.evaluations[rows, movers] += decision.evaluations
        self.history[rows] = seed_streams(self.history[rows], decision.actions)

    def row(self, pair: int) -> dict:
        """The pair's line of matches.csv, without the columns that name the pool."""
        rows = slice(pair * self.per_pair, (pair + 1) * self.per_pair)
        points = self.game.result(self.states[rows]).astype(int).copy()
        a_first = np.arange(self.per_pair) % 2 == 0
        points[~a_first] *= -1  # seen by a
        a_seat = (~a_first).astype(int)
        each = np.arange(self.per_pair)
        row = {"agent_a": self.players[self.pairs[pair][0]].name, "agent_b": self.players[self.pairs[pair][1]].name}
        row |= {"wins_a": (points > 0).sum(), "draws": (points == 0).sum(), "wins_b": (points < 0).sum()}
        row |= {
            "wins_a_first": (points[a_first] > 0).sum(), "draws_a_first": (points[a_first] == 0).sum(),
            "wins_b_first": (points[~a_first] < 0).sum(), "draws_b_first": (points[~a_first] == 0).sum(),
        }  # fmt: skip
        distinct = set(zip(self.history[rows].tolist(), self.opening[each // 2].tolist(), strict=True))
        row |= {"games": self.per_pair, "distinct_games": len(distinct), "protocol": str(self.protocol),
                "seed": self.protocol.seed, "outcomes": "".join("ldw"[p + 1] for p in points)}  # fmt: skip
        for side, seat in (("a", a_seat), ("b", 1 - a_seat)):
            row[f"moves_{side}"] = self.moves[rows][each, seat].sum()
            row[f"evaluations_{side}"] = self.evaluations[rows][each, seat].sum()
            row[f"optimal_{side}"] = "" if self.exact is None else self.kept[rows][each, seat].sum()
        return {key: int(value) if isinstance(value, np.integer) else value for key, value in row.items()}
