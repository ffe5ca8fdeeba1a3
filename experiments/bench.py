"""Speed of the search, and how near it is to the hardware's limit.

    python -m experiments.bench game=hex game.size=11 network.width=256 network.depth=4 batch=128 budget=64 out=DIR

Prints a table and writes bench.json, one row per combination of the settings given as lists (batch=[128,512]). What is
measured, and how, is in measure.py; docs/speed.md explains how to read it. Random games beside OpenSpiel's follow, the
speed of the rules alone (random_play.py), and where `make peers` has installed them, other programs' searches (peers/).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hydra
import torch
from omegaconf import DictConfig
from tqdm import tqdm

from agents.network import make_network
from experiments import random_play
from experiments.command import one_line_errors, run_application, typed
from experiments.measure import Case, measure, pinned, unpinned
from experiments.peers import contests
from experiments.peers.compare import OURS, PEERS, Contest
from experiments.rule_settings import rule_of
from games import Game, make
from games.files import refuse_unwritable, write_text
from training.settings import SettingsError


@dataclass
class Bench:
    """The settings of configs/bench.yaml; game, network, batch, budget and leaves may hold lists."""

    game: dict[str, Any]
    network: dict[str, Any]
    search: dict[str, Any]
    batch: Any
    budget: Any
    leaves: Any
    precision: str
    threads: int
    processes: int
    repetitions: int
    detail: bool
    seed: int
    play: Any
    peers: Any
    out: str

    def __post_init__(self):
        if self.play not in ("auto", "all", False):
            raise SettingsError(f"play={self.play} cannot be: expected auto, all or false")
        if self.peers not in ("auto", True, False):
            raise SettingsError(f"peers={self.peers} cannot be: expected auto, true or false")
        for name, low in {"threads": 1, "processes": 1, "repetitions": 1, "seed": 0}.items():
            if getattr(self, name) < low:
                raise SettingsError(f"{name}={getattr(self, name)} cannot be: expected at least {low}")


def combinations(settings: Bench) -> Iterator[Bench]:
    """One Bench per choice from the lists among the settings, the last list varying fastest."""
    flat: dict[tuple[str, ...], Any] = {("game", key): value for key, value in settings.game.items()}
    flat |= {("network", key): value for key, value in settings.network.items()}
    flat |= {("batch",): settings.batch, ("budget",): settings.budget, ("leaves",): settings.leaves}
    choices = [value if isinstance(value, list) else [value] for value in flat.values()]
    for values in itertools.product(*choices):
        chosen: dict[str, Any] = {"game": {}, "network": {}}
        for (name, *key), value in zip(flat, values, strict=True):
            if key:
                chosen[name][key[0]] = value
            else:
                chosen[name] = _count(name, value)
        yield replace(settings, **chosen)


def _count(name: str, value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SettingsError(f"{name}={value!r} cannot be: expected a whole number of at least 1, or a list of such")
    return value


def case(settings: Bench) -> Case:
    """What one row measures. Raises GameError or NetworkError for settings that cannot be."""
    game = make(**settings.game)
    network = make_network(game=game, seed=settings.seed, **settings.network)
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.fill_(0.1)  # products that are multiplied by 0 would be skipped
    return Case(
        game,
        network,
        rule_of(settings.search),
        settings.batch,
        settings.budget,
        settings.threads,
        settings.seed,
        settings.precision,
        settings.leaves,
    )


def beside_each_other(one: Case, processes: int, repetitions: int) -> dict:
    """`scaling`, from all cores that the system allows us."""
    from experiments.scaling import scaling

    with unpinned():
        return scaling(one, processes, repetitions)


def beside_openspiel(games: list[Game], settings: Bench, path: Path) -> tuple[dict[str, dict], str]:
    """Random play of `games` beside OpenSpiel's: the figures by title, and a table; rows go to `path`."""
    pairs = {game.title: random_play.pair(game) for game in games}
    missing = [f"OpenSpiel has no {title} to play beside" for title, pair in pairs.items() if pair is None]
    common = [pair for pair in pairs.values() if pair]
    found: dict[str, dict] = {}
    with pinned(1), tqdm(total=len(common) * settings.repetitions, unit="turn") as bar:
        for one in common:
            bar.set_description(f"random play, {one.game.title}")
            found[one.game.title] = random_play.measure(one, settings.repetitions, settings.seed, bar.update)
    write_text(path, json.dumps([{"title": title, **row} for title, row in found.items()], indent=1) + "\n")
    return found, "\n".join([random_play.table(found), f"written: {path}", *missing] if found else missing)


PEERS_TURNS = 3


def beside_peers(settings: Bench, path: Path) -> str:
    """Other programs' searches beside ours at each network and budget of `settings`, as a table; rows go to `path`."""
    shapes = {(one.network["width"], one.network["depth"], max(one.budget, 2)) for one in combinations(settings)}
    held = [Contest(11, width, depth, "scattered", 128, budget, settings.seed)
            for width, depth, budget in sorted(shapes)]  # fmt: skip
    entrants = OURS + [entrant for peer in PEERS.values() for entrant in peer]
    rows = contests.hold(held, entrants, PEERS_TURNS, contests.PYTHON, contests.core(None), path)
    return f"Hex 11x11, one core:\n{contests.table(rows)}\nwritten: {path}"


def no_peers(settings: Bench) -> str:
    """Why other programs cannot be measured beside these settings; empty where they can."""
    if settings.game["name"] != "hex" or settings.network["name"] != "fc":
        return "other programs are compared on Hex and with fully connected networks only"
    return "" if Path(contests.PYTHON).exists() else "no other programs to compare with: `make peers` installs them"


COLUMNS = {
    "game": "{game}{size}", "network": "{network}", "batch": "{batch}", "budget": "{budget}", "leaves": "{leaves}",
    "threads": "{threads}", "rule": "{rule}", "precision": "{precision}",
    "sims/s": "{simulations_per_s:,.0f}", "moves/s": "{moves_per_s:,.0f}",
    "network share": "{network_share:.3f} ({network_share_spread[0]:.3f}-{network_share_spread[1]:.3f})",
    "matmul share": "{matmul_share:.3f} ({matmul_share_spread[0]:.3f}-{matmul_share_spread[1]:.3f})",
    "search MB": "{search_mb}", "arrays MB": "{arrays_mb}", "peak MB": "{peak_mb}",
}  # fmt: skip


def table(rows: list[dict]) -> str:
    """The rows for the terminal; where the time goes, in microseconds per simulation, below them."""
    cells = [list(COLUMNS)] + [[text.format(**row) for text in COLUMNS.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    for row in rows:
        if row["parts_us"]:
            parts = ", ".join(f"{name} {us:.2f}" for name, us in row["parts_us"].items())
            lines.append(f"{row['game']}{row['size']} {row['network']} x {row['batch']}, us per simulation: {parts}")
        if "scaling" in row:
            low, high = row["scaling_spread"]
            what = f"{row['game']}{row['size']} {row['network']} x {row['batch']}: {row['processes']} processes"
            lines.append(f"{what} do {row['scaling']:.2f} ({low:.2f}-{high:.2f}) times what one does")
    return "\n".join(lines)


# ---- command -------------------------------------------------------------------------------------------------------


@one_line_errors
def command(config: DictConfig) -> Path:
    """The body of the command; returns the path of bench.json."""
    settings: Bench = typed(Bench, config)
    cases = [case(one) for one in combinations(settings)]
    if settings.peers is True and (reason := no_peers(settings)):
        raise SettingsError(f"peers=true cannot be: {reason}")
    path = Path(settings.out) / "bench.json"
    refuse_unwritable(path.parent)
    rows: list[dict] = []
    with pinned(settings.threads) as cores, tqdm(total=len(cases) * settings.repetitions, unit="search") as bar:
        bar.write(f"pinned to cores {cores}" if cores else "not pinned: this system does not allow it", nolock=True)
        for one in cases:
            bar.set_description(f"{one.game.title} {one.network.title} x {one.batch}")
            rows.append({**measure(one, settings.repetitions, settings.detail, bar.update), "cores": cores})
            if settings.processes > 1:
                rows[-1] |= beside_each_other(one, settings.processes, settings.repetitions)
            write_text(path, json.dumps(rows, indent=1) + "\n")
    print(f"{table(rows)}\nwritten: {path}", flush=True)
    if settings.play:
        games = [one.game for one in cases] + (random_play.familiar() if settings.play == "all" else [])
        found, told = beside_openspiel(games, settings, path.with_name("play.json"))
        rows = [row | found.get(one.game.title, {}) for row, one in zip(rows, cases, strict=True)]
        write_text(path, json.dumps(rows, indent=1) + "\n")
        print(told, flush=True)
    if settings.peers:
        print(no_peers(settings) or beside_peers(settings, path.with_name("peers.json")))
    return path


@hydra.main(version_base="1.3", config_path="../configs", config_name="bench")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    run_application(main)
