"""A cell is one training run of a study: what its configuration means, its name, its folder, and how it is run."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
import time
import traceback
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from agents import conformance, rule_check
from agents.network import PRECISIONS, NetworkError, NetworkEvaluator, make_network
from experiments import threads
from experiments.arena_settings import Arena
from experiments.command import typed
from experiments.rule_settings import normalise, rule_of
from games import Game, GameError, make
from games.conformance import doubt, refuse_unsound
from games.files import sweep_up, write_text
from mcts import RuleError, refuse_budget
from training import interrupt
from training.boards import games_of, networks_on, refuse_memory
from training.interrupt import Interrupted
from training.settings import SettingsError, Training


@dataclass
class Study:
    """A named sweep; its maps may give each size a length, width and budget of its own, to refer to."""

    name: str = "scratch"
    positions: dict[str, int] = field(default_factory=dict)
    flops: dict[str, float] = field(default_factory=dict)
    width: dict[str, int] = field(default_factory=dict)
    budget: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise SettingsError(f"study.name={self.name!r} cannot be: it becomes a folder, so expected letters, "
                                "digits, '.', '_' and '-' only, beginning with a letter or digit")  # fmt: skip


@dataclass
class Cell:
    """The configuration of configs/train.yaml, typed and checked."""

    game: dict[str, Any]
    network: dict[str, Any]
    search: dict[str, Any]
    training: Training
    arena: Arena
    study: Study
    seed: int
    device: str
    precision: str
    threads: Any  # a number, or auto
    jobs: int
    studies: str

    def __post_init__(self):
        if self.seed < 0:
            raise SettingsError(f"seed={self.seed} cannot be: expected a whole number of at least 0")
        if self.precision not in PRECISIONS:
            raise SettingsError(f"precision={self.precision!r} cannot be: expected one of {', '.join(PRECISIONS)}")
        threads.check(self.threads)
        if self.jobs < 1 and self.jobs != -1:
            raise SettingsError(f"jobs={self.jobs} cannot be: expected at least 1, or -1 for one per core")


def refuse_same_size(games: Iterable[Game]) -> None:
    """Raises SettingsError for different boards of one size, which ratings and fits would take for one board."""
    seen: dict[float, str] = {}
    for game in games:
        if (other := seen.setdefault(game.size, game.title)) != game.title:
            raise SettingsError(f"{other} and {game.title} are both of size {game.size}, the number by which a study's "
                                "ratings and fits tell boards apart: give each a study of its own")  # fmt: skip


RESULT_KEYS = ("game", "network", "search", "training", "seed", "device", "precision", "threads")
"""The settings that a run's result depends on; a finished or begun cell is only taken up again with the same ones."""
_NEUTRAL = ("checkpoint_seconds",)


def check(config: DictConfig) -> Cell:
    """The typed cell. Raises SettingsError, GameError, NetworkError, AgentError or OmegaConf errors before any work."""
    OmegaConf.resolve(config)
    normalise(config)
    cell: Cell = typed(Cell, config)
    if cell.training.reuse and not rule_of(cell.search).anytime:
        raise SettingsError(f"training.reuse=true cannot be with search.rule={cell.search['rule']}: its budget decides "
                            "all steps of a search, so that none can be taken up again")  # fmt: skip
    rule_check.refuse_unsound(rule_of(cell.search), self_play=True)
    games = boards(cell)
    network = make_network(game=games[0], **cell.network)
    conformance.refuse_unsound(network, games[0])
    networks_on(network, games)
    refuse_memory(games, cell.training)
    for game in games:
        refuse_budget(game, cell.training.games, cell.training.budget)
        cell.arena.check(game)
    if cell.device == "cpu":
        NetworkEvaluator(network, precision=cell.precision)
    if cell.device != "cpu":
        _check_device(cell.device)
    return cell


def _check_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(f"device={device!r} cannot be used here ({str(error).splitlines()[0]}): "
                            "expected cpu, or cuda with a GPU and a CUDA build of torch") from None  # fmt: skip


def boards(config: DictConfig | Cell) -> list[Game]:
    """The game of a cell, at each of the sizes of training.boards where these are given."""
    return games_of(make(**config.game), config.training.boards)


def evaluation_flops(cell: Cell) -> float:
    """FLOPs of one forward pass, the mean over the boards of a cell."""
    games = boards(cell)
    networks = networks_on(make_network(game=games[0], **cell.network), games)
    return sum(network.forward_flops for network in networks) / len(networks)


def cell_name(config: DictConfig, swept: dict[str, str]) -> str:
    """A readable name: boards, network, seed, and what else a sweep varies between its cells, such as batch=256."""
    games = boards(config)
    network = "x".join(str(value) for key, value in config.network.items() if key != "name")
    family = "" if config.network.name == "fc" else config.network.name
    named = re.compile(r"(game|network|seed)\b|training\.boards$")
    extra = [f"{key.rpartition('.')[2]}={value}" for key, value in swept.items() if not named.match(key)]
    name = "-".join([_title(games), family + network, f"s{config.seed}", *extra])
    return re.sub(r"[^A-Za-z0-9._=-]", "_", name)


def _title(games: list[Game]) -> str:
    return "_".join(game.title for game in games)


def folder(cell: Cell, name: str) -> Path:
    return Path(cell.studies) / cell.study.name / "runs" / name


# ---- the folder of a cell ------------------------------------------------------------------------------------------


def settings_of(config: dict) -> dict:
    """The part of a composed configuration that a result depends on."""
    kept = {key: config.get(key) for key in RESULT_KEYS}
    kept["training"] = {k: v for k, v in (kept["training"] or {}).items() if k not in _NEUTRAL}
    return kept


def read_config(path: Path) -> dict[str, Any]:
    """config.yaml of the cell in folder `path`. Raises SettingsError for a damaged file."""
    file = path / "config.yaml"
    try:
        config = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
        if not isinstance(config, dict) or not {"game", "training"} <= set(config):
            raise ValueError("it names no game and training")
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        said = " ".join(str(error).split())
        raise SettingsError(
            f"{file} cannot be read ({said}): delete the folder {path} to train this cell again"
        ) from None
    return config  # type: ignore[return-value]


def begun(path: Path) -> bool:
    """Whether the run in folder `path` has something that its settings must stay the same for."""
    return (path / "config.yaml").exists() and any((path / name).exists() for name in ("checkpoint", "snapshots"))


def threads_of(cell: Cell, path: Path, processes: int) -> threads.Choice:
    """The torch threads of the run in folder `path`: those that it began with, else as asked or chosen.

    processes: how many cells run at a time.
    """
    if begun(path):
        return threads.Choice(read_config(path)["threads"], "as the run began")
    flops = evaluation_flops(cell) if cell.device == "cpu" else 0
    return threads.choose(cell.threads, flops, threads.cores(), processes)


def refuse_changed_settings(path: Path, config: DictConfig) -> None:
    """Raises SettingsError if the cell in folder `path` was begun with other settings, naming one that differs."""
    if not begun(path):
        return
    stored = settings_of(read_config(path))
    wanted = settings_of(OmegaConf.to_container(config, resolve=True))  # type: ignore[arg-type]
    if wanted["threads"] == threads.AUTO:
        wanted["threads"] = stored["threads"]  # the choice of another moment or machine would round otherwise
    for key, old, new in _differences(stored, wanted):
        raise SettingsError(f"{path} was trained with {key}={old}, not {new}: a study does not mix settings; choose "
                            f"another study.name, or delete that folder to train it again")  # fmt: skip


def _differences(old, new, key=""):
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(set(old) | set(new)):
            yield from _differences(old.get(name), new.get(name), f"{key}.{name}" if key else name)
    elif old != new:
        yield key, old, new


def state(path: Path) -> dict:
    """What status.json says: state (waiting, running, interrupted, failed, done), share done, and error."""
    try:
        return json.loads((path / "status.json").read_text())
    except (OSError, json.JSONDecodeError):
        return {"state": "waiting", "share": 0.0}


@contextmanager
def locked(path: Path):
    """Hold the folder for this process; waits while another process trains there, which ends with that process.

    Raises Interrupted when told to stop in the meantime.
    """
    path.mkdir(parents=True, exist_ok=True)
    with open(path / ".lock", "w") as file:
        if not _taken(file, path):
            print(f"{path} is in use by another process: waiting for it", file=sys.stderr, flush=True)
            while not _taken(file, path):
                if (why := interrupt.told()) is not None:
                    raise Interrupted(f"stopped by {why} while {path} was in use by another process")
                time.sleep(0.2)
        yield


def _taken(file, path: Path) -> bool:
    """Whether the lock on an open file is now this process's. Raises SettingsError where the file system has none."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise SettingsError(f"{path} cannot be locked ({error.strerror}), which keeps two commands from working there "
                            "at once: put it on another file system, studies=DIR") from None  # fmt: skip
    return True


def look_over(game: Game) -> None:
    """A quick look at a game from outside: raises GameError for what cannot be, tells what is doubtful."""
    refuse_unsound(game)
    if told := doubt(game):
        print(f"warning: {told}", file=sys.stderr)


# ---- running -------------------------------------------------------------------------------------------------------


def run_cell(config: DictConfig, name: str, in_study: bool, processes: int = 1) -> str:
    """Train one cell to its end, or take it up; returns its state. Finished cells are skipped.

    processes: how many cells of its study run at a time.

    Inside a study a failure is written to status.json and told once, so that the other cells go on; alone it raises.
    """
    cell = check(config)
    if not in_study:
        for game in boards(cell):
            look_over(game)
    path = folder(cell, name)
    interrupt.listen(follow_parent=in_study)
    if interrupt.told():
        return "interrupted"
    try:
        with locked(path):
            return _run(cell, config, path, in_study, processes)
    except Interrupted as told:
        return _interrupted(told, in_study)


def _run(cell: Cell, config: DictConfig, path: Path, in_study: bool, processes: int) -> str:
    """`run_cell` in a folder that nobody else works in."""
    refuse_changed_settings(path, config)
    if state(path)["state"] == "done":
        if not in_study:
            print(f"{path} is finished; nothing to do")
        return "done"
    try:
        _train(cell, config, path, in_study, threads_of(cell, path, processes))
    except Interrupted:
        raise
    except Exception as error:
        return _failed(path, error, in_study)
    return "done"


def _train(cell: Cell, config: DictConfig, path: Path, in_study: bool, taken: threads.Choice) -> None:
    import torch

    from experiments.provenance import write_provenance
    from training.loop import train
    from training.monitor import Monitor
    from training.run import Recipe, Run

    torch.set_num_threads(taken.number)
    sweep_up(path)
    noted = {} if begun(path) else {"threads": {"asked": cell.threads, **taken._asdict()}}
    config.threads = taken.number
    write_text(path / "config.yaml", OmegaConf.to_yaml(config, resolve=True))
    if noted and not in_study:
        print(f"torch threads: {taken.number} ({taken.reason})", flush=True)
    recipe = Recipe(
        make(**cell.game), cell.network, rule_of(cell.search), cell.training, cell.seed, cell.device, cell.precision
    )
    run = Run(recipe, path)
    write_provenance(path / "provenance.json", seed=cell.seed, **noted)
    flat = {"game": _title([board.game for board in run.boards]), "seed": cell.seed,
            **{f"network.{k}": v for k, v in cell.network.items()},
            **{f"training.{k}": v for k, v in config.training.items()}}  # fmt: skip
    monitor = Monitor(run, bar=not in_study, hyperparameters=flat)
    try:
        train(run, monitor)
    finally:
        monitor.close()  # so that an error begins a line of its own
    least = min(run.boards, key=lambda board: len(board.replay))
    if len(least.replay) < cell.training.batch:
        length = "train_flops" if cell.training.train_flops > 0 else "positions"
        raise SettingsError(
            f"training.{length}={getattr(cell.training, length)} cannot be: ended games gave {len(least.replay)} "
            f"samples of {least.game.title}, and the first learner step there waits for training.batch="
            f"{cell.training.batch}; raise {length}, or lower training.games or training.batch, and delete {path}"
        )
    write_provenance(path / "provenance.json", seed=cell.seed, seconds=run.ledger.wall_seconds)
    write_status(path, "done", 1.0)
    if not in_study:
        print(f"{run.snapshots} snapshots, 10^{np.log10(run.ledger.train_flops):.2f} train FLOPs, "
              f"{run.ledger.wall_seconds:.0f} s: {path}")  # fmt: skip


def write_status(path: Path, name: str, share: float, error: str | None = None) -> None:
    write_text(path / "status.json", json.dumps({"state": name, "share": share} | ({"error": error} if error else {})))


def _interrupted(told: Interrupted, in_study: bool) -> str:
    if interrupt.parent_gone():
        os._exit(1)  # an idle worker would wait minutes for a study that is no more
    if in_study:
        return "interrupted"
    print(told, file=sys.stderr)
    raise KeyboardInterrupt from None


def _failed(path: Path, error: Exception, in_study: bool) -> str:
    expected = isinstance(error, GameError | NetworkError | RuleError | SettingsError | ValueError | OSError)
    reason = str(error) if expected else "".join(traceback.format_exception(error))
    with suppress(OSError):  # a full disk: the message below is what is left
        write_status(path, "failed", state(path)["share"], reason)
    if not in_study:
        raise error
    print(f"cell {path.name} failed: {reason}", file=sys.stderr, flush=True)
    return "failed"
