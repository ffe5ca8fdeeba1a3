"""What an agent sees in one position: a long search of it, move by move.

    python -m experiments.position snapshot=PATH moves='a1 b2' budget=100000 leaves=64

The position is the initial one, or a file's (- for standard input) as the game draws it, with `moves` played from
there. The table has the moves in the order of their visits: the policy that the rule makes of them, mean value for the
player to move, the network's prior, what is proven, and the line that the search expects to follow. Ctrl-C ends a
search early and shows what it has found, where the rule can be stopped at any time.
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
from tqdm import tqdm

from agents.agent import AgentError, make_strategy, strategy_class
from agents.network import NetworkEvaluator
from agents.search_strategy import SearchStrategy
from agents.snapshot import find_snapshot, game_of, load_snapshot
from experiments import threads
from experiments.command import one_line_errors, run_application, typed
from games import Game, GameError, stopping
from games.files import refuse_unwritable, write_text
from games.terminal import read_text
from mcts import Search
from mcts.rule import root
from mcts.streams import seed_streams
from training import interrupt
from training.settings import SettingsError

PARTS = 200  # of a search at most, between which its progress is shown
LINE = 8  # moves of the expected line
PROVEN = {1: "wins", 0: "draws", -1: "loses"}


@dataclass
class Position:
    """Settings of the command; see configs/position.yaml."""

    snapshot: str
    position: str | None = None
    moves: str = ""
    budget: int = 10_000
    leaves: int = 16
    strategy: str = "puct"
    settings: dict[str, Any] | None = None
    game: dict[str, Any] | None = None
    top: int = 10
    seed: int = 0
    device: str = "cpu"
    precision: str = "float32"
    threads: Any = threads.AUTO
    out: str | None = None

    def __post_init__(self):
        threads.check(self.threads)
        self.snapshot = str(find_snapshot(Path(self.snapshot)))
        for name, low in {"budget": 1, "leaves": 1, "top": 1, "seed": 0}.items():
            if getattr(self, name) < low:
                raise SettingsError(f"{name}={getattr(self, name)} cannot be: expected at least {low}")
        if not issubclass(strategy_class(self.strategy), SearchStrategy):
            raise AgentError(f"strategy={self.strategy} does not search: expected one that does, such as puct")


def look(asked: Position) -> tuple[Game, np.ndarray, dict]:
    """Search as asked: the game, the position [S] and what was found there, as in the JSON of the command."""
    game = game_of(Path(asked.snapshot), asked.game)
    state = reached(game, asked)
    network = load_snapshot(Path(asked.snapshot), game).network
    evaluator = NetworkEvaluator(network, asked.device, asked.precision)
    strategy = make_strategy(asked.strategy, game, evaluator, **(asked.settings or {}))
    assert isinstance(strategy, SearchStrategy)
    taken = threads.take(asked.threads, [network], asked.device)
    found = Search(game, state[None], strategy.settings, asked.budget)
    begun = time.perf_counter()
    run(found, evaluator, asked)
    record = {"game": game.title, "snapshot": asked.snapshot, "strategy": asked.strategy} | summary(found, state)
    return game, state, record | {"leaves": asked.leaves, "threads": taken,
                                  "seconds": round(time.perf_counter() - begun, 2)}  # fmt: skip


def reached(game: Game, asked: Position) -> np.ndarray:
    """The position to look at, [S]. Raises GameError for one that is none, is over, or cannot be reached."""
    state = game.reset(1)[0] if asked.position is None else game.parse(read_text(asked.position))
    for move in asked.moves.split():
        state = game.play(state, read_move(game, state, move))
    if game.over(state[None])[0]:
        raise GameError(f"the game is over here: there is nothing to search\n{game.draw(state)}")
    return state


def read_move(game: Game, state: np.ndarray, word: str) -> int:
    """The action that people write so. Raises GameError for one that is none, or not legal in `state`."""
    mask = game.legal(state[None])[0]
    here = {game.move_text(state, int(action)): int(action) for action in np.flatnonzero(mask)}
    if word in here:
        return here[word]
    names = {game.action_text(action): action for action in range(game.num_actions)}
    if word not in names:
        raise GameError(f"{word!r} is no move of {game.title}: expected such as {', '.join(list(here or names)[:4])}")
    if not mask[names[word]]:
        legal = ", ".join(here)
        expected = f"expected one of {legal}" if legal else "the game is over"
        raise GameError(f"{word} cannot be played here: {expected}\n{game.draw(state)}")
    return names[word]


def run(found: Search, evaluator: NetworkEvaluator, asked: Position) -> None:
    """Spend the budget, where the rule allows it in parts, between which a signal to stop is heard."""
    streams = seed_streams(asked.seed, np.arange(1))
    parts = parts_of(found, asked)
    if len(parts) > 1:
        interrupt.listen(on_signal=lambda name: stopping.say(f"{name}: this is what was found so far"))
    with tqdm(total=asked.budget, unit="sim", unit_scale=True, desc="search", disable=len(parts) == 1) as bar:
        for budget in parts:
            found.run(evaluator, budget, streams, asked.leaves)
            bar.update(int(found.simulations[0]) - bar.n)
            if interrupt.told() or found.tree.nodes[0, 0]["settled"]:
                break
    interrupt.forget()


def parts_of(found: Search, asked: Position) -> np.ndarray:
    """The budgets, up to the whole one, at which progress is shown: whole batches of leaves apart.

    A root is averaged over symmetries in the first part or never, which therefore has room for it.
    """
    if not found.rule.anytime:
        return np.array([asked.budget])
    first = len(found.game.symmetries.actions) + 1 if found.rule.root_symmetries else 1
    step = asked.leaves * math.ceil(asked.budget / PARTS / asked.leaves)
    return np.append(np.arange(first, asked.budget, step), asked.budget)


def summary(found: Search, state: np.ndarray) -> dict:
    """The search of one position [S] as plain numbers; values are for its player to move."""
    game, tree, table = found.game, found.tree, root(found.tree)
    policy, node = found.policy()[0], tree.nodes[0, 0]
    order = np.lexsort((-found.root_prior[0], -table.visits[0]))
    moves = []
    for action in order[found.root_prior[0][order] > 0]:
        lower, upper = int(table.lower[0, action]), int(table.upper[0, action])
        moves.append({
            "move": game.move_text(state, int(action)), "visits": int(table.visits[0, action]),
            "policy": float(policy[action]), "value": float(table.value[0, action]),
            "proven": PROVEN[lower] if lower == upper else None, "prior": float(found.root_prior[0, action]),
            "line": line(game, state, tree.nodes[0], int(action)),
        })  # fmt: skip
    return {
        "best": game.move_text(state, int(found.choose()[0])), "value": float(found.root_value[0]),
        "proven": PROVEN[int(node["lower"])] if node["settled"] else None,
        "simulations": int(found.simulations[0]), "evaluations": int(found.evaluations[0]), "moves": moves,
    }  # fmt: skip


def line(game: Game, state: np.ndarray, nodes: np.ndarray, action: int) -> list[str]:
    """The move `action` of the root, the position [S], and the most visited ones after it, at most LINE together."""
    moves, node = [game.move_text(state, action)], 0
    while len(moves) < LINE:
        tried = dict(children(nodes, node))
        if (node := tried.get(action, -1)) < 0:
            break
        after = dict(children(nodes, node))
        if not after:
            break
        state = game.play(state, action)
        action = max(after, key=lambda move: (nodes[after[move]]["visits"], -move))
        moves.append(game.move_text(state, action))
    return moves


def children(nodes: np.ndarray, node: int):
    """(action, index) of the tried actions of a node, in the order in which they were tried."""
    child = nodes[node]["first_child"]
    while child >= 0:
        yield int(nodes[child]["action"]), int(child)
        child = nodes[child]["next_sibling"]


def text(game: Game, state: np.ndarray, record: dict, top: int) -> str:
    """The board and the table."""
    moves = record["moves"]
    wide = max(6, *(len(move["move"]) for move in moves[:top]))
    result = f", proven: {record['proven']}" if record["proven"] else ""
    lines = [game.draw(state), "",
             f"{game.title}: best {record['best']}, value {record['value']:+.3f} for the player to move{result}", "",
             f"{'move':>{wide}} {'visits':>9} {'policy':>7} {'value':>7} {'prior':>7} {'proven':>7}  line"]  # fmt: skip
    for move in moves[:top]:
        value = f"{move['value']:+7.3f}" if move["visits"] else f"{'':>7}"
        lines.append(f"{move['move']:>{wide}} {move['visits']:>9,} {move['policy']:>7.3f} {value} "
                     f"{move['prior']:>7.3f} {move['proven'] or '':>7}  {' '.join(move['line'])}")  # fmt: skip
    if len(moves) > top:
        lines.append(f"and {len(moves) - top} moves more, {sum(move['visits'] for move in moves[top:]):,} visits")
    return "\n".join([*lines, "", f"{record['simulations']:,} simulations, {record['evaluations']:,} evaluations, "
                      f"{record['seconds']:.1f} s"])  # fmt: skip


# ---- command -------------------------------------------------------------------------------------------------------


@one_line_errors
def command(config: DictConfig) -> None:
    """Search, print the table, and write the JSON where `out` says."""
    asked = typed(Position, config)
    if asked.out is not None:
        refuse_unwritable(Path(asked.out).parent)
    game, state, record = look(asked)
    print(text(game, state, record, asked.top))
    if asked.out is not None:
        write_text(Path(asked.out), json.dumps(record, indent=1) + "\n")


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name="position")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
