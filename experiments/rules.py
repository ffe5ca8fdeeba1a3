"""Selection rules beside each other at equal budgets: which one should an agent use at test time?

    python -m experiments.rules snapshot=PATH 'budgets=[2,8,32,128]' openings=200 out=DIR

The same network plays itself: the default rule against each contender, at every budget and on every board that it was
trained on, over the same openings, each played twice with colours swapped. What counts is the default's share of the
points of an opening; its 95 % interval comes from the spread of the openings, so that what both colours have in common
does not count twice. Where one side won every game there is no spread, and the interval is that of a share (duel.py).
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import hydra
import numpy as np
from omegaconf import DictConfig
from tqdm import tqdm

from agents.agent import Strategy, make_strategy
from agents.network import NetworkEvaluator
from agents.snapshot import describe, find_snapshot, load_snapshot
from experiments import threads
from experiments.command import one_line_errors, run_application, typed
from experiments.duel import interval
from experiments.play import Player, Protocol, play_pairs
from games import Game, make
from games.files import refuse_unwritable, write_text
from training.settings import SettingsError


@dataclass
class Rules:
    """The settings of configs/rules.yaml."""

    snapshot: str
    game: dict[str, Any] | None
    default: list[dict[str, Any]]  # one; a list, since those are replaced as a whole on the command line
    contenders: list[dict[str, Any]]
    budgets: list[int]
    openings: int
    opening_moves: int
    seed: int
    device: str
    precision: str
    threads: Any  # a number, or auto
    out: str

    def __post_init__(self):
        threads.check(self.threads)
        self.snapshot = str(find_snapshot(Path(self.snapshot)))
        for chosen in (*self.default, *self.contenders):
            if not {"name", "rule"} <= set(chosen):
                raise SettingsError(f"{chosen} cannot be: expected name, rule, and settings of the rule")
        if len(self.default) != 1 or not self.contenders:
            raise SettingsError(
                "expected one rule as default=[{name: puct, rule: puct}] and at least one in contenders"
            )
        names = [str(chosen["name"]) for chosen in self.contenders]
        if len(set(names)) < len(names):
            raise SettingsError(f"contenders are called {', '.join(names)}: expected a name of its own for each")
        if not self.budgets or min(self.budgets) < 1 or len(set(self.budgets)) < len(self.budgets):
            raise SettingsError(f"budgets={self.budgets} cannot be: expected different numbers from 1 up")
        for name, low in {"openings": 2, "opening_moves": 1, "seed": 0}.items():
            if getattr(self, name) < low:
                raise SettingsError(f"{name}={getattr(self, name)} cannot be: expected at least {low}")


def compare(settings: Rules, path: Path) -> list[dict]:
    """One row per board, contender and budget, kept in `path` as they come; those of an earlier call stay.

    Raises AgentError, NetworkError or RuleError for what cannot be, SettingsError for a file of other settings.
    """
    rows = _kept(settings, path)
    have = {_key(row) for row in rows}
    boards = [_players(settings, game) for game in boards_of(settings)]
    protocol = Protocol(settings.openings, settings.opening_moves, settings.seed)
    wanted = [(board.game.title, name, budget) for board in boards for budget in settings.budgets
              for name in board.contenders]  # fmt: skip
    with tqdm(total=len(wanted), initial=len(have.intersection(wanted)), unit="match", dynamic_ncols=True) as bar:
        for board, budget, name in itertools.product(boards, settings.budgets, boards[0].contenders):
            if (board.game.title, name, budget) in have:
                continue
            bar.set_description(f"{board.game.title}, budget {budget}, {name}")
            players = [Player("default", board.default, budget), Player(name, board.contenders[name], budget)]
            row = play_pairs(board.game, players, [(0, 1)], protocol, 0)[0]
            rows.append({"game": board.game.title, "contender": name, "budget": budget, **verdict(row)})
            write_text(path, json.dumps({"settings": _identity(settings), "rows": rows}, indent=1) + "\n")
            bar.update()
    found = {_key(row): row for row in rows}
    return [found[key] for key in wanted]


def boards_of(settings: Rules) -> list[Game]:
    """The snapshot's game with `game` in place of its own settings; null: at each size that it was trained on."""
    described = describe(Path(settings.snapshot))
    own = described["game"]
    boards = described.get("boards", [own]) if settings.game is None else [settings.game]
    return [make(**(own | board)) for board in boards]


class Board(NamedTuple):
    """What plays on one board."""

    game: Game
    default: Strategy
    contenders: dict[str, Strategy]


def _players(settings: Rules, game: Game) -> Board:
    network = load_snapshot(Path(settings.snapshot), game).network
    threads.take(settings.threads, [network], settings.device)
    evaluator = NetworkEvaluator(network, settings.device, settings.precision)

    def strategy(chosen: dict) -> Strategy:
        own = {key: value for key, value in chosen.items() if key not in ("name", "rule")}
        return make_strategy(chosen["rule"], game, evaluator, **own)

    contenders = {str(chosen["name"]): strategy(chosen) for chosen in settings.contenders}
    return Board(game, strategy(settings.default[0]), contenders)


def _identity(settings: Rules) -> dict:
    """What the rows depend on and do not say themselves."""
    neutral = ("game", "budgets", "out", "device", "threads")
    return {key: value for key, value in asdict(settings).items() if key not in neutral}


def _key(row: dict) -> tuple[str, str, int]:
    return row["game"], row["contender"], row["budget"]


def _kept(settings: Rules, path: Path) -> list[dict]:
    if not path.exists():
        return []
    try:
        stored = json.loads(path.read_text())
        old, rows = stored["settings"], stored["rows"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} cannot be read ({error}): delete it, or choose another out") from None
    if old != _identity(settings):
        raise SettingsError(f"{path} was made with other settings: delete it, or choose another out")
    return list(rows)


def verdict(row: dict) -> dict:
    """What a row of matches says of its first agent: share of the points, 95 % interval, Elo, evaluations of both."""
    points = np.array(["ldw".index(outcome) / 2 for outcome in row["outcomes"]]).reshape(-1, 2).mean(1)
    share = float(points.mean())
    half = 1.96 * float(points.std(ddof=1)) / math.sqrt(len(points))
    spread = [share - half, share + half] if 0 < share < 1 else interval(share, len(points))
    evaluations = {f"evaluations_{name}": row[f"evaluations_{side}"] / max(row[f"moves_{side}"], 1)
                   for name, side in (("default", "a"), ("contender", "b"))}  # fmt: skip
    clipped = min(max(share, 0.5 / len(points)), 1 - 0.5 / len(points))
    return {"share": share, "interval": spread, "elo": 400 * math.log10(clipped / (1 - clipped)),
            "games": row["games"], "distinct_games": row["distinct_games"], **evaluations}  # fmt: skip


def table(rows: list[dict]) -> str:
    """Share of the default, half its interval: lines are boards and contenders, columns budgets; `*` where behind."""
    budgets = sorted({row["budget"] for row in rows})
    lines = [["default against", *map(str, budgets)]]
    for game, name in dict.fromkeys((row["game"], row["contender"]) for row in rows):
        found = {row["budget"]: row for row in rows if (row["game"], row["contender"]) == (game, name)}
        lines.append([f"{game} {name}", *(_cell(found[budget]) for budget in budgets)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _cell(row: dict) -> str:
    low, high = row["interval"]
    return f"{row['share']:.3f}±{(high - low) / 2:.3f}" + "*" * (high < 0.5)


# ---- command -------------------------------------------------------------------------------------------------------


@one_line_errors
def command(config: DictConfig) -> Path:
    """The body of the command; returns the path of rules.json."""
    settings: Rules = typed(Rules, config)
    path = Path(settings.out) / "rules.json"
    refuse_unwritable(path.parent)
    rows = compare(settings, path)
    default = settings.default[0]
    print(f"{table(rows)}\nshare of the points of {default} with 95 % interval; * where it is behind\n{path}")
    return path


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name="rules")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
