"""The arena: plays the matches of a study that are missing. `python -m experiments.arena study_dir=studies/quick`

Rounds follow each other, since each is planned from the results of the rounds before; within a round chunks of pairs
run in parallel processes. matches.csv only grows: a chunk's rows are written together, in the order of the plan, so an
interrupted arena goes on with the chunk it was at and ends with the file that an undisturbed one writes.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import json
import multiprocessing
import os
import re
import signal
import tempfile
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hydra
import joblib
import numpy as np
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from agents.agent import default_settings, strategy_class
from experiments import bradley_terry, cells, records
from experiments.arena_settings import Arena
from experiments.command import one_line_errors, run_application
from experiments.play import Protocol, play_pairs
from experiments.pool import Pool, exact_player, pools, read_study
from experiments.schedule import first_guess, plan_newcomer, plan_round
from experiments.threads import side_by_side
from games import stopping
from games.files import write_text
from training import interrupt
from training.settings import SettingsError

CHUNK_PAIRS = 1024
COLUMNS = [column.name for column in records.MATCHES]


@dataclass(frozen=True)
class Chunk:
    """Pairs of one pool that are played together."""

    pool: int
    round: int
    pairs: list[tuple[int, int]]


def play_study(study_dir: Path, overrides: dict | None = None) -> Path:
    """Play what is missing and write matches.csv and agents.csv; returns the path of matches.csv.

    Raises SettingsError for a folder that is no finished study, RecordError for a damaged matches.csv.
    """
    read_study(study_dir, overrides)  # what is no study is refused before anything is written there
    with cells.locked(study_dir):
        study = read_study(study_dir, overrides)
        played = MatchFile(study_dir / "matches.csv")
        _keep_settings(study_dir / "arena.json", study.arena, played.rows)
        arena = Play(pools(study), study.arena, study.device, study.jobs, played)
        for play in (arena.play_round, arena.play_outside) if study.arena.outside else (arena.play_round,):
            for number in range(study.arena.rounds):
                play(number)
                arena.write_agents(study_dir / "agents.csv")
    return study_dir / "matches.csv"


def _keep_settings(path: Path, arena: Arena, played: list[dict]) -> None:
    """Note in `path` with which settings each strategy plays.

    Raises SettingsError where matches stand already that were played with others, which agents' names do not tell.
    """
    notes = _notes(path) if played else {}
    settings = default_settings(strategy_class(arena.strategy)) | arena.strategy_settings()
    before, name = notes.get(arena.strategy), re.compile(rf".*:{re.escape(arena.strategy)}\d*")
    if before != settings and any(name.fullmatch(row["agent_a"]) or name.fullmatch(row["agent_b"]) for row in played):
        if before is None:
            raise SettingsError(f"{path} does not say with which settings of {arena.strategy} matches were played, as "
                                "those of earlier versions: move matches.csv away to play all again")  # fmt: skip
        told = ", ".join(f"{key}={before.get(key)}, now {settings[key]}" for key in settings
                         if before.get(key) != settings[key])  # fmt: skip
        raise SettingsError(f"{path.parent}: matches of {arena.strategy} were played with {told}: set arena.settings "
                            "as they were, or move matches.csv away to play all again")  # fmt: skip
    write_text(path, json.dumps(notes | {arena.strategy: settings}, indent=1) + "\n")


def _notes(path: Path) -> dict[str, dict]:
    """The settings by strategy; none where nothing was noted. Raises SettingsError for a damaged file."""
    try:
        notes = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        notes = None
    if not isinstance(notes, dict) or not all(isinstance(settings, dict) for settings in notes.values()):
        raise SettingsError(
            f"{path} is damaged: put it back as it was, or move it and matches.csv away to play all again"
        )
    return notes


class MatchFile:
    """matches.csv, append-only. A line cut off by a power failure is dropped; what was complete stays."""

    def __init__(self, path: Path):
        self.path = path
        self.rows: list[dict] = []
        if path.exists():
            self._read()

    def append(self, rows: list[dict]) -> None:
        """Write all of `rows` or none. Raises OSError, with the file as it was."""
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
        if not self.path.exists():
            writer.writeheader()
        writer.writerows(rows)
        size = self.path.stat().st_size if self.path.exists() else 0
        try:
            with open(self.path, "ab") as file:
                file.write(buffer.getvalue().encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            if size:
                os.truncate(self.path, size)
            else:
                self.path.unlink(missing_ok=True)
            raise
        self.rows += [{key: str(value) for key, value in row.items()} for row in rows]

    def _read(self) -> None:
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if not whole or whole == (",".join(COLUMNS) + "\n").encode():
            self.path.unlink()
            return
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))
        records.read_matches(self.path)
        reader = csv.DictReader(io.StringIO(whole.decode()))
        if list(reader.fieldnames or []) != COLUMNS:
            raise records.RecordError(f"{self.path} has other columns than this version writes: expected "
                                      f"{','.join(COLUMNS)}; move it away to play the matches again")  # fmt: skip
        self.rows = list(reader)


class Play:
    """The pools of a study, what was played, and the rounds to come."""

    def __init__(self, pools: list[Pool], settings: Arena, device: str, jobs: int, file: MatchFile):
        self.pools, self.settings, self.device, self.jobs, self.file = pools, settings, device, jobs, file
        self.protocol = Protocol(settings.openings, settings.opening_moves, settings.seed, settings.sample)
        self.planned: list[dict[tuple[int, int], dict]] = [{} for _ in pools]  # rows by pair, over the rounds so far

    def play_round(self, number: int) -> None:
        """Plan round `number` of every pool from the rounds before it, and play what the file lacks."""
        plans = [self.plan(pool, number) for pool in range(len(self.pools))]
        self._play(number, plans, CHUNK_PAIRS, "matches")

    def play_outside(self, number: int) -> None:
        """Round `number` of the outside players, once the others are done, so that these need not be played again.

        Such players can be slow, so each of their pairs is a piece of work of its own.
        """
        plans = [[pair for player in pool.outsiders for pair in self.plan_outside(place, player, number)]
                 for place, pool in enumerate(self.pools)]  # fmt: skip
        self._play(number, plans, 1, "outside players")

    def _play(self, number: int, plans: list[list[tuple[int, int]]], most: int, title: str) -> None:
        """Play what the file lacks of the pairs of each pool, at most `most` of them in one piece."""
        have = self._have(number)
        chunks = []
        for pool, pairs in enumerate(plans):
            parts = [Chunk(pool, number, pairs[i : i + most]) for i in range(0, len(pairs), most)]
            chunks += [chunk for chunk in parts if any(self._key(pool, pair) not in have for pair in chunk.pairs)]
        for rows in self._results(chunks, f"{title}, round {number}"):
            self.file.append([row for row in rows if (row["agent_a"], row["agent_b"]) not in have])
        have = self._have(number)
        for pool, pairs in enumerate(plans):
            self.planned[pool] |= {pair: have[self._key(pool, pair)] for pair in pairs}

    def plan(self, pool: int, number: int) -> list[tuple[int, int]]:
        """The pairs of round `number` without the outside players, from the results of the rounds before it."""
        rows = self.residents(pool)
        rng = np.random.default_rng([self.settings.seed, number, int(rows[0]["size"])])
        places: dict = {}
        paths = self.pools[pool].snapshots[: len(rows)]
        snapshot = np.array([places.setdefault(path or i, len(places)) for i, path in enumerate(paths)])
        strength = self._strength(pool, list(range(len(rows))))
        return plan_round(strength, snapshot, set(self.planned[pool]), self.settings.opponents, rng,
                          self._anchor(pool))  # fmt: skip

    def plan_outside(self, pool: int, player: int, number: int) -> list[tuple[int, int]]:
        """The pairs of an outside player in round `number`; other outside players have no say in them."""
        rows = self.residents(pool)
        members = [*range(len(rows)), player]
        name = zlib.crc32(self.pools[pool].names[player].encode())
        rng = np.random.default_rng([self.settings.seed, number, int(rows[0]["size"]), name])
        played = {(a, len(rows)) for a, b in self.planned[pool] if b == player}
        pairs = plan_newcomer(self._strength(pool, members), played, self.settings.opponents, rng, self._anchor(pool))
        return [(members[a], members[b]) for a, b in pairs]

    def residents(self, pool: int) -> list[dict]:
        """Rows of the pool without the outside players, which come last."""
        rows = self.pools[pool].rows
        return rows[: len(rows) - len(self.pools[pool].outsiders)]

    def _anchor(self, pool: int) -> int | None:
        return self.pools[pool].anchor if self.settings.anchor_games else None

    def _strength(self, pool: int, members: list[int]) -> np.ndarray:
        """Elo of `members` from their matches so far with each other, or a guess where there are none."""
        rows = [self.pools[pool].rows[member] for member in members]
        place = {member: number for number, member in enumerate(members)}
        results = {(place[a], place[b]): row for (a, b), row in self.planned[pool].items() if {a, b} <= place.keys()}
        if not results:
            flops = np.array([row.get("train_flops") or np.nan for row in rows], float)
            guess = first_guess(flops, np.array([row["budget"] or np.nan for row in rows], float))
            if self.pools[pool].anchor is not None:
                guess[self.pools[pool].anchor] = guess.max() + 100
            return guess
        pairs = np.array(list(results))
        games = np.array([float(row["games"]) for row in results.values()])
        points = np.array([float(row["wins_a"]) + 0.5 * float(row["draws"]) for row in results.values()])
        table = bradley_terry.Pairings(len(rows), pairs[:, 0], pairs[:, 1], points, games, np.zeros(len(games)))
        return bradley_terry.fit(table, covariance=False).elo

    def _key(self, pool: int, pair: tuple[int, int]) -> tuple[str, str]:
        names = self.pools[pool].names
        return names[pair[0]], names[pair[1]]

    def _have(self, number: int) -> dict[tuple[str, str], dict]:
        """Rows of the file that belong to round `number` under this protocol, by agents."""
        wanted = (str(number), str(self.protocol), str(self.protocol.seed), str(2 * self.protocol.openings))
        return {(row["agent_a"], row["agent_b"]): row for row in self.file.rows
                if (row["round"], row["protocol"], row["seed"], row["games"]) == wanted}  # fmt: skip

    def _results(self, chunks: list[Chunk], title: str) -> Iterator[list[dict]]:
        """The rows of each chunk, in order, from parallel processes, with one bar over all games."""
        if not chunks:
            return
        processes = side_by_side(self.jobs, len(chunks))
        total = sum(len(chunk.pairs) for chunk in chunks) * 2 * self.protocol.openings
        with tempfile.TemporaryDirectory() as folder, ArenaProgress(Path(folder), total, title):
            jobs = [joblib.delayed(play_chunk)(self.pools[chunk.pool], chunk, self.protocol, Path(folder) / str(i))
                    for i, chunk in enumerate(chunks)]  # fmt: skip
            if processes == 1:
                yield from (function(*arguments) for function, arguments, _ in jobs)
            else:
                yield from _in_workers(jobs, processes)

    def write_agents(self, path: Path) -> None:
        """agents.csv: the pools' rows with what was measured in the matches; agents of earlier pools stay."""
        tallies = _tallies(self.file.rows)
        rows = {}
        if path.exists():
            with open(path, newline="") as file:
                rows = {row["agent"]: row for row in csv.DictReader(file)}
        for pool in self.pools:
            for row in pool.rows:
                moves, evaluations, counted, optimal = tallies.get(row["agent"], (0, 0, 0, 0))
                spent = evaluations / moves if moves and row.get("forward_flops") else None
                rows[row["agent"]] = row | {
                    "evaluations": spent,
                    "test_flops_per_move": None if spent is None else spent * row["forward_flops"],
                    "optimality": optimal / counted if counted else None,
                    "optimality_positions": counted or None,
                }
        records.write_table(path, [column.name for column in records.AGENTS], rows.values())


def _in_workers(jobs: list, processes: int) -> Iterator[list[dict]]:
    """The results of joblib's delayed calls, in order."""
    parallel = joblib.Parallel(processes, return_as="generator", batch_size=1, pre_dispatch="all")
    with contextlib.ExitStack() as stack:
        with stopping.unheard_by_children():
            stack.enter_context(parallel)  # starts a process that keeps track of semaphores, and lets Ctrl-C in again
        with stopping.unheard_by_children():
            results = parallel(jobs)
        yield from results


def _tallies(rows: list[dict]) -> dict[str, np.ndarray]:
    """Moves, evaluations, moves judged by an exact player, and those that kept the value, per agent."""
    tallies: dict[str, np.ndarray] = {}
    for row in rows:
        for side in "ab":
            moves, optimal = int(row[f"moves_{side}"]), row[f"optimal_{side}"]
            judged = (0, 0) if optimal == "" else (moves, int(optimal))
            entry = tallies.setdefault(row[f"agent_{side}"], np.zeros(4, np.int64))
            entry += (moves, int(row[f"evaluations_{side}"]), *judged)
    return tallies


# ---- in the worker -------------------------------------------------------------------------------------------------


def play_chunk(pool: Pool, chunk: Chunk, protocol: Protocol, progress: Path) -> list[dict]:
    """Rows of matches.csv for one chunk; runs in a process of its own."""
    import torch

    parent = multiprocessing.parent_process()
    interrupt.leave_with_parent()
    if threading.current_thread() is threading.main_thread() and parent is not None:
        for number in (signal.SIGINT, signal.SIGHUP):  # of the terminal: the parent's to handle
            signal.signal(number, signal.SIG_IGN)

    def tell(finished: int) -> None:
        if parent is not None and os.getppid() != parent.pid:
            os._exit(1)  # the arena was killed: nobody waits for these rows
        progress.write_text(str(finished))

    torch.set_num_threads(1)
    game, exact = _game_and_exact(pool.title, tuple(sorted(pool.game_settings.items())))
    rows = play_pairs(game, pool.players(game), chunk.pairs, protocol, chunk.round, exact, tell)
    columns = {"game": game.name, "size": game.size, "round": chunk.round}
    return [row | columns for row in rows]


@functools.cache
def _game_and_exact(title: str, settings: tuple):
    from games import make

    game = make(**dict(settings))
    return game, exact_player(game)


class ArenaProgress:
    """One bar over the games of a round, from small files that the workers write."""

    def __init__(self, folder: Path, total: int, title: str):
        self.folder, self._stop = folder, threading.Event()
        self.bar = tqdm(total=total, unit="game", unit_scale=True, desc=title, dynamic_ncols=True)
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()
        if error[0] is None:
            self.bar.update(self.bar.total - self.bar.n)
        self.bar.close()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            finished = [file.read_text() for file in self.folder.iterdir()]
            self.bar.update(sum(int(text or 0) for text in finished) - self.bar.n)
            self.bar.refresh()  # the clock goes on where a game takes long


# ---- command -------------------------------------------------------------------------------------------------------


@one_line_errors
def command(config: DictConfig) -> None:
    settings = OmegaConf.to_container(config.arena, resolve=True)
    assert isinstance(settings, dict)
    overrides = {key: value for key, value in settings.items() if value is not None}
    print(f"matches: {play_study(Path(config.study_dir), overrides)}")


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name="arena")
def main(config: DictConfig) -> None:
    command(config)


if __name__ == "__main__":
    # By its imported name: worker processes cannot find what lives in __main__.
    from experiments.arena import main as imported

    run_application(imported)
