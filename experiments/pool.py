"""The agents of a study: every chosen snapshot at every budget, random play, and the perfect player if there is one."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from omegaconf import OmegaConf

from agents.agent import make_strategy
from agents.network import NetworkEvaluator
from agents.snapshot import describe, load_snapshot, own_game
from experiments.arena_settings import Arena
from experiments.cells import read_config, refuse_same_size, state
from experiments.command import one_line, typed
from experiments.play import Player
from games import Game, GameError, make, registry
from games.exact import Exact, solver
from training.boards import games_of
from training.settings import SettingsError


@dataclass(frozen=True)
class StudyRecord:
    """study.yaml, typed: which cells belong to the study and how their agents are matched."""

    study_dir: Path
    cells: list[str]
    arena: Arena
    device: str
    precision: str
    jobs: int


def read_study(study_dir: Path, arena_overrides: dict | None = None) -> StudyRecord:
    """Raises SettingsError for a folder that is no study or a study whose runs are not finished."""
    file = study_dir / "study.yaml"
    if not file.exists():
        raise SettingsError(f"{study_dir} is no study: it has no study.yaml; make one with "
                            "python -m experiments.train study=quick, or -m with an own sweep")  # fmt: skip
    try:
        record = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
        assert isinstance(record, dict)
        arena = typed(Arena, OmegaConf.create(record["arena"] | (arena_overrides or {})))
        arena.check()
        study = StudyRecord(study_dir, list(record["cells"]), arena, record["device"],
                            record["precision"], record["jobs"])  # fmt: skip
    except (KeyError, TypeError, AssertionError, OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(
            f"{file} cannot be used ({one_line(error)}): start the study again with its own command"
        ) from None
    undone = [name for name in study.cells if state(study_dir / "runs" / name)["state"] != "done"]
    if undone:
        raise SettingsError(f"{study_dir}: {len(undone)} of {len(study.cells)} runs are not finished, the first is "
                            f"{undone[0]}; the study's own command goes on with them")  # fmt: skip
    return study


@dataclass(frozen=True)
class Pool:
    """The agents of one game at one size: rows as in agents.csv without measured columns, and how to build them.

    Outside players come last, each with its settings under the key `outside` of its row.
    """

    title: str
    game_settings: dict
    rows: list[dict]
    snapshots: list[Path | None]  # of each agent; None for players without a network
    study: StudyRecord

    @property
    def names(self) -> list[str]:
        return [row["agent"] for row in self.rows]

    @property
    def anchor(self) -> int | None:
        """Index of the perfect player."""
        return next((i for i, row in enumerate(self.rows) if row["anchor"]), None)

    @property
    def outsiders(self) -> list[int]:
        """Indices of the outside players."""
        return [i for i, row in enumerate(self.rows) if "outside" in row]

    def game(self) -> Game:
        return make(**self.game_settings)

    def players(self, game: Game) -> list[Player]:
        """All agents, ready to play; weights are loaded when a network is first asked."""
        strategies: dict = {}
        players = []
        for row, path in zip(self.rows, self.snapshots, strict=True):
            key = path or row["agent"]
            if key not in strategies:
                strategies[key] = self._strategy(game, row, path)
            players.append(Player(row["agent"], strategies[key], int(row["budget"] or 1)))
        return players

    def _strategy(self, game, row, path):
        if "outside" in row:
            return row["outside"].make(game)
        if path is None:
            return make_strategy(row["strategy"], game)
        evaluator = LazyEvaluator(functools.partial(_load, path, game, self.study))
        return make_strategy(row["strategy"], game, evaluator, **self.study.arena.strategy_settings())


class LazyEvaluator:
    """An evaluator that is made at its first call, so that a chunk loads only the networks it needs."""

    def __init__(self, load):
        self._load = load
        self._evaluator: NetworkEvaluator | None = None

    def __call__(self, planes):
        if self._evaluator is None:
            self._evaluator = self._load()
        return self._evaluator(planes)


def _load(path: Path, game: Game, study: StudyRecord) -> NetworkEvaluator:
    return NetworkEvaluator(load_snapshot(path, game).network, study.device, study.precision)


def exact_player(game: Game) -> Exact | None:
    """The solver of a game that is small enough, else None."""
    try:
        return solver(game)
    except GameError:
        return None


def pools(study: StudyRecord) -> list[Pool]:
    """One pool per game and size, in the order of their titles and sizes.

    Raises AgentError where an outside player cannot play one of the games, SettingsError for boards of one size and
    for a run whose snapshots are gone, NetworkError for one that was trained under other rules.
    """
    found: dict[str, tuple[Game, list[tuple[dict, Path]]]] = {}
    for name in study.cells:
        folder = study.study_dir / "runs" / name
        config = read_config(folder)
        paths = _chosen(_snapshots(folder / "snapshots"), study.arena.snapshots)
        for game in games_of(make(**config["game"]), config["training"].get("boards")):
            members = found.setdefault(game.title, (game, []))[1]
            members += [(row, path) for path in paths for row in _rows(name, config, game, path, study.arena)]
    refuse_same_size(game for game, _ in found.values())
    ordered = sorted(found.values(), key=lambda pair: (pair[0].name, pair[0].size, pair[0].title))
    return [_pool(game, members, study) for game, members in ordered]


def _pool(game: Game, members: list[tuple[dict, Path]], study: StudyRecord) -> Pool:
    rows = [row for row, _ in members]
    snapshots: list[Path | None] = [path for _, path in members]
    fixed = ["random"] + (["perfect"] if exact_player(game) else [])
    for strategy in fixed:
        rows.append({"agent": f"{game.title}:{strategy}", "game": game.name, "size": game.size, "strategy": strategy,
                     "budget": None, "anchor": int(strategy == "perfect")})  # fmt: skip
        snapshots.append(None)
    study.arena.check(game)
    for player in study.arena.outside:
        rows.append({"agent": player.title(game), "game": game.name, "size": game.size, "strategy": player.strategy,
                     "budget": player.budget, "anchor": 0, "outside": player})  # fmt: skip
        snapshots.append(None)
    name = registry.name_of(type(game), "games")
    return Pool(game.title, {"name": name, **game.settings}, rows, snapshots, study)


def _snapshots(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix == ".safetensors")
    if not found:
        raise SettingsError(f"{folder} holds no snapshot, though its run is finished: restore them, or delete "
                            f"{folder.parent} and start the study again with its own command")  # fmt: skip
    return found


def _chosen(paths: list[Path], most: int | None) -> list[Path]:
    if most is None or len(paths) <= most:
        return paths
    return [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, most).round().astype(int))]


def _rows(run: str, config: dict, game: Game, path: Path, arena: Arena) -> list[dict]:
    """A snapshot's agents on one of the boards it was trained on, whose title they bear where there are several."""
    described = describe(path)
    own_game(path, described)  # refuses one of other rules before any match
    ledger, network = described["ledger"], described["network"]
    from agents.network import make_network

    name = f"{run}:{described['index']:03d}" + (f":{game.title}" if "boards" in described else "")
    made = make_network(game=game, **network)
    shared = {
        "game": game.name, "size": game.size, "run": run, "seed": config["seed"],
        "snapshot": described["index"], "network": network["name"], "width": network.get("width"),
        "depth": network.get("depth"), "params": made.num_parameters, "forward_flops": made.forward_flops,
        "strategy": arena.strategy, "train_flops": ledger["train_flops"], "selfplay_flops": ledger["selfplay_flops"],
        "learner_flops": ledger["learner_flops"], "anchor": 0,
    }  # fmt: skip
    return [{"agent": f"{name}:{arena.strategy}{budget}", "budget": budget, **shared}
            for budget in arena.budgets]  # fmt: skip
