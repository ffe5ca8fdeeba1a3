"""A study: cells checked before any of them starts, one progress bar over all of them, and what follows the last one.

Hydra starts the cells; the callback here stands before and after them. Everything it does can be called again: matches,
fits and report are commands of their own, and a study cut off anywhere goes on with the same command.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import sys
import threading
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict
from tqdm import tqdm

from experiments import cells, outside, threads
from experiments.command import one_line_errors
from experiments.provenance import write_provenance
from games import stopping
from games.files import write_text
from training import interrupt
from training.settings import SettingsError


def _loud(method):
    """Hydra turns what a callback raises into a warning; here it ends the program as anywhere else."""

    @functools.wraps(method)
    def wrapped(*args, **kwargs):
        try:
            return method(*args, **kwargs)
        except Exception:
            traceback.print_exc()
            sys.exit(1)

    return wrapped


class StudyCallback(Callback):
    """Before the cells: check all of them, write study.yaml, watch. After them: matches, ratings, fits, report."""

    def __getstate__(self):
        return {}  # Hydra sends its callbacks along with each cell; the workers do not watch

    @_loud
    @one_line_errors
    def on_multirun_start(self, config: DictConfig, **kwargs) -> None:
        expanded = expand(config)
        if not expanded:
            raise SettingsError("the sweep has no cells: expected at least one value for each swept setting")
        self.study_dir = _folder(config)
        _refuse_varied(expanded)
        cells.refuse_same_size(game for _, cell, _ in expanded for game in cells.boards(cell))
        checked = {name: cells.check(cell) for name, cell, _ in expanded}
        for game in {game.title: game for _, cell, _ in expanded for game in cells.boards(cell)}.values():
            cells.look_over(game)
        for name, cell, _ in expanded:
            cells.refuse_changed_settings(self.study_dir / "runs" / name, cell)
        record = {
            "name": self.study_dir.name,
            "cells": {name: overrides for name, _, overrides in expanded},
            "arena": OmegaConf.to_container(expanded[0][1].arena, resolve=True),
            "device": config.device,
            "precision": config.precision,
            "jobs": config.jobs,
        }
        write_text(self.study_dir / "study.yaml", OmegaConf.to_yaml(record))
        write_provenance(self.study_dir / "provenance.json")
        interrupt.listen(on_signal=_pass_on)
        _tell_threads(checked, self.study_dir / "runs")
        self.started = time.perf_counter()
        self.progress = StudyProgress(self.study_dir, {name: _work(cell) for name, cell in checked.items()})

    @_loud
    @one_line_errors
    def on_multirun_end(self, config: DictConfig, **kwargs) -> None:
        self.progress.close()
        told = interrupt.forget()
        states = {name: cells.state(self.study_dir / "runs" / name) for name in self.progress.weights}
        undone = {name: state for name, state in states.items() if state["state"] != "done"}
        if told:
            print(f"stopped by {told}: {len(states) - len(undone)} of {len(states)} runs are finished, the others have "
                  "their checkpoints; the same command goes on", file=sys.stderr)  # fmt: skip
            sys.exit(130)
        if undone:
            name, state = next(iter(undone.items()))
            raise SettingsError(f"{len(undone)} of {len(states)} runs did not finish, the first is {name}: "
                                f"{state.get('error', state['state'])}; the others are kept; the same command tries "
                                "these again")  # fmt: skip
        complete(self.study_dir, started=self.started)


def complete(study_dir: Path, started: float | None = None) -> Path:
    """Play the missing matches; rate, fit and report if there is anything new; returns the report's path."""
    from experiments.arena import play_study
    from experiments.frontier import finish

    play_study(study_dir)
    provenance, report = study_dir / "provenance.json", study_dir / "report.html"
    written_for, tables = json.loads(provenance.read_text()).get("report_of"), _digest_of_tables(study_dir)
    if report.exists() and written_for == tables:
        print(f"nothing new since the report was written\nreport: {report}")
        return report
    report = finish(study_dir)
    seconds = {} if started is None else {"seconds_of_last_work": round(time.perf_counter() - started, 1)}
    write_provenance(provenance, report_of=tables, **seconds)
    print(f"report: {report}")
    return report


def _digest_of_tables(study_dir: Path) -> str:
    digest = hashlib.sha256()
    for name in ("matches.csv", "agents.csv"):
        digest.update((study_dir / name).read_bytes())
    return digest.hexdigest()


def expand(config: DictConfig) -> list[tuple[str, DictConfig, list[str]]]:
    """The cells of a sweep as Hydra will start them: name, composed configuration, overrides.

    Raises SettingsError if two of them would share a name, and Hydra's errors for unknown keys and wrong types.
    """
    loader = GlobalHydra.instance().config_loader()
    params = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    outside.offer(params)
    given = [*params, *as_written(config.hydra.overrides.task)]
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(given)
    swept = {override.get_key_element() for override in parsed if override.is_sweep_override()}
    found: dict[str, tuple[str, DictConfig, list[str]]] = {}
    for overrides in itertools.chain(*BasicSweeper.split_arguments(parsed, None)):
        cell = loader.load_sweep_config(config, overrides)
        varied = dict(override.split("=", 1) for override in overrides if override.split("=", 1)[0] in swept)
        with open_dict(cell):
            del cell["hydra"]
        name = cells.cell_name(cell, varied)
        if name in found:
            raise SettingsError(f"two cells of the sweep are {name}: {overrides} and {found[name][2]}; drop one, or "
                                "where their boards differ give the game a `title` that tells them apart")  # fmt: skip
        found[name] = (name, cell, overrides)
    return list(found.values())


def as_written(overrides: Any) -> list[str]:
    """Overrides that may refer to others, such as game.columns=${game.rows}, which differs between cells."""
    written: Any = OmegaConf.to_container(overrides, resolve=False)
    return written


def _folder(config: DictConfig) -> Path:
    """Of the study; study.name=2026 is read as a number and means a name."""
    return Path(str(config.studies)) / str(config.study.name)


def _refuse_varied(expanded: list[tuple[str, DictConfig, list[str]]]) -> None:
    """Raises SettingsError where cells differ in what a study has once."""
    for key in ("study.name", "studies", "arena", "jobs"):
        if any(OmegaConf.select(cell, key) != OmegaConf.select(expanded[0][1], key) for _, cell, _ in expanded):
            raise SettingsError(f"{key} differs between the cells of the sweep: a study has one; give it a single "
                                "value, and start a study for each other one")  # fmt: skip


def _tell_threads(checked: dict[str, cells.Cell], runs: Path) -> None:
    """Print how many torch threads the runs to be begun take, and why."""
    fresh = {name: cell for name, cell in checked.items() if not cells.begun(runs / name)}
    choices = Counter(cells.threads_of(cell, runs / name, threads.side_by_side(cell.jobs, len(checked)))
                      for name, cell in fresh.items())  # fmt: skip
    for choice, count in choices.items():
        print(f"torch threads: {choice.number} for {count} of {len(checked)} runs ({choice.reason})")


def place_in_study(config: DictConfig, overrides: list[str]) -> tuple[str, int]:
    """The name that `expand` gave the cell with these overrides, and how many run at a time, from study.yaml."""
    record = OmegaConf.load(_folder(config) / "study.yaml")
    for name, known in record.cells.items():
        if sorted(as_written(known)) == sorted(overrides):
            return str(name), threads.side_by_side(config.jobs, len(record.cells))
    raise SettingsError(f"study {config.study.name!r} has no cell with {overrides}: start it with its own command")


def _pass_on(name: str) -> None:
    """Tell the workers to save and stop; the terminal's Ctrl-C has reached them already, a kill has not.

    Where there are none, as for jobs on a cluster, which are no business of this machine, the study ends at once.
    """
    workers = [child for child in psutil.Process().children(recursive=True) if _works(child)]
    if not workers:
        stopping.say(f"{name}: no run is at work here (jobs on a cluster go on); the same command takes up what is "
                      "left")  # fmt: skip
        raise KeyboardInterrupt
    stopping.say(f"{name}: the runs save their checkpoints, then stop")
    for child in workers:
        with suppress(psutil.Error):
            child.terminate()


def _works(child: psutil.Process) -> bool:
    try:
        return "resource_tracker" not in " ".join(child.cmdline())
    except psutil.Error:
        return False


def _work(cell: cells.Cell) -> float:
    """Roughly the seconds a cell takes on one core, for the bar's time left: tree and network."""
    per_evaluation = cells.evaluation_flops(cell)
    flops = cell.training.train_flops
    evaluations = flops / per_evaluation if flops else cell.training.positions * cell.training.budget
    return evaluations * (1.5e-6 + per_evaluation / 5e10)


class StudyProgress:
    """One bar over all cells, from their status files; a thread of the study's own process."""

    def __init__(self, study_dir: Path, weights: dict[str, float]):
        self.study_dir, self.weights = study_dir, weights
        done = self._share()
        total = sum(weights.values())
        form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, left {remaining}{postfix}"
        self.bar = tqdm(
            total=total, initial=done * total, bar_format=form, desc="runs", dynamic_ncols=True, smoothing=0
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._update()
        self.bar.close()

    def _share(self) -> float:
        self.states = {name: cells.state(self.study_dir / "runs" / name) for name in self.weights}
        return sum(self.weights[name] * state["share"] for name, state in self.states.items()) / sum(
            self.weights.values()
        )

    def _update(self) -> None:
        self.bar.n = self._share() * self.bar.total
        done = sum(state["state"] == "done" for state in self.states.values())
        running = [f"{name} {state['share']:.0%}" for name, state in self.states.items() if state["state"] == "running"]
        self.bar.set_postfix_str(", ".join([f"{done} of {len(self.states)} done", *running[:4]]), refresh=True)

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            self._update()
