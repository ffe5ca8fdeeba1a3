"""The files of a study: what each column means, how tables are read with care and written atomically.

A run trains snapshots; a snapshot with a test-time strategy and a budget is an agent (agents.csv); agents meet in
matches (matches.csv); matches become ratings (ratings.csv). Every table is CSV with a header; a missing value is an
empty cell, never 0. Tables from elsewhere are read by the same functions: they need the required columns only, and
columns that this file does not know are ignored.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from games.files import write_text

Table = dict[str, np.ndarray]
"""Columns by name: text as object arrays ("" where missing), numbers as float64 arrays (nan where missing)."""


class RecordError(ValueError):
    """A table that cannot be used; the message names file, line, value, expectation and remedy."""


class Column(NamedTuple):
    """One column: `kind` is text, number (any finite), amount (finite, >= 0) or count (whole, >= 0)."""

    name: str
    kind: str
    meaning: str


MATCHES = [
    Column("agent_a", "text", "Name of one agent."),
    Column("agent_b", "text", "Name of the other agent."),
    Column("wins_a", "count", "Games that agent_a won, with either colour."),
    Column("draws", "count", "Games drawn."),
    Column("wins_b", "count", "Games that agent_b won, with either colour."),
    Column("wins_a_first", "count", "Games that agent_a won having moved first."),
    Column("draws_a_first", "count", "Games drawn in which agent_a moved first."),
    Column("wins_b_first", "count", "Games that agent_b won having moved first."),
    Column("draws_b_first", "count", "Games drawn in which agent_b moved first."),
    Column("games", "count", "Games played: wins_a + draws + wins_b."),
    Column("distinct_games", "count", "How many of the games differ in their moves."),
    Column("protocol", "text", "How openings were made and moves were picked."),
    Column("seed", "text", "Seed of the openings and of the play."),
    Column("game", "text", "Game, such as hex."),
    Column("size", "number", "Board size; agents of different sizes never meet."),
    Column("round", "count", "Round of the schedule that asked for this match."),
    Column(
        "outcomes", "text", "One letter per game, w, d or l for agent_a; two per opening, agent_a first, then second."
    ),
    Column("moves_a", "count", "Moves that agent_a made in these games, openings not counted."),
    Column("evaluations_a", "count", "Network evaluations that agent_a spent on them."),
    Column("optimal_a", "count", "How many of them kept the game-theoretic value; empty where no solver judges."),
    Column("moves_b", "count", "The same for agent_b."),
    Column("evaluations_b", "count", "The same for agent_b."),
    Column("optimal_b", "count", "The same for agent_b."),
]
MATCHES_REQUIRED = ("agent_a", "agent_b", "wins_a", "draws", "wins_b")
COLOURS = ("wins_a_first", "draws_a_first", "wins_b_first", "draws_b_first")

AGENTS = [
    Column("agent", "text", "Name of the agent: snapshot, strategy and budget."),
    Column("game", "text", "Game, such as hex."),
    Column("size", "number", "Board size, the number that orders the sizes of a game."),
    Column("run", "text", "The training run that the snapshot comes from."),
    Column("seed", "text", "Seed of the run; runs that differ in nothing else are repeats of one recipe."),
    Column("snapshot", "text", "Which snapshot of the run."),
    Column("network", "text", "Network family."),
    Column("width", "number", "Width of the network."),
    Column("depth", "number", "Depth of the network."),
    Column("params", "amount", "Parameters of the network."),
    Column("forward_flops", "amount", "FLOPs of one forward pass for one position (1 multiply-add = 2 FLOPs)."),
    Column("strategy", "text", "How moves are picked at test time."),
    Column("budget", "amount", "At most this many evaluations per move."),
    Column("evaluations", "amount", "Evaluations per move actually spent, mean over its games."),
    Column("train_flops", "amount", "Training compute up to the snapshot: self-play + learner, in FLOPs."),
    Column("selfplay_flops", "amount", "Forward passes of self-play up to the snapshot, in FLOPs."),
    Column("learner_flops", "amount", "Forward and backward passes of the learner up to the snapshot, in FLOPs."),
    Column("test_flops_per_move", "amount", "evaluations x forward_flops: mean test-time compute per move, in FLOPs."),
    Column("optimality", "amount", "Share of its positions where its move kept the game-theoretic value, in [0, 1]."),
    Column("optimality_positions", "count", "Positions behind optimality."),
    Column("anchor", "count", "1 for the perfect player, whose Elo is 0 by definition; else 0."),
]

RATINGS = [
    *AGENTS,
    Column("elo", "number", "400 log10(odds) relative to the anchor."),
    Column("elo_se", "amount", "Standard error of elo relative to the anchor, from the full covariance."),
    Column("games", "count", "Games behind the rating."),
    Column("determined", "count", "1 if the matches determine elo; 0 if the prior does (never beaten, not connected)."),
    Column("note", "text", "Why a rating is not determined."),
]
RATINGS_REQUIRED = ("size", "train_flops", "elo")
LARGEST = 1_000_000  # Elo or size of a board; beyond, a number is mistyped


# ---- reading -------------------------------------------------------------------------------------------------------


def read_matches(path: Path) -> Table:
    """A match table, checked row by row; the columns that are absent from the file are absent from the result.

    Raises RecordError for a file that is no such table, and for counts that contradict each other.
    """
    table, lines = read_table(path, MATCHES, MATCHES_REQUIRED)
    for row, line in enumerate(lines):
        _check_match(path, line, {name: values[row] for name, values in table.items()})
    return table


def read_agents(path: Path) -> Table:
    """The agents of a study (agents.csv). Raises RecordError, also for an agent listed twice."""
    table, lines = read_table(path, AGENTS, ("agent", "size", "train_flops"))
    _check_unique(path, table["agent"], lines)
    return table


def read_ratings(path: Path) -> Table:
    """A table of rated agents, ours or anybody's: needs size, train_flops, elo; no elo may be missing.

    Rows without train_flops (a perfect player, a hand-written bot) are kept.
    """
    table, lines = read_table(path, RATINGS, RATINGS_REQUIRED)
    for row, line in enumerate(lines):
        for name in ("elo", "size"):
            if math.isnan(table[name][row]):
                raise _error(path, line, f"{name} is empty", "a number in every row", "fill it or delete the row")
            if abs(table[name][row]) > LARGEST:
                raise _error(path, line, f"{name} = {table[name][row]:g}", f"at most {LARGEST:,} on either side of 0",
                             "correct the cell or delete the row")  # fmt: skip
    if "agent" in table:
        _check_unique(path, table["agent"], lines)
    return table


def read_table(path: Path, columns: list[Column], required: Iterable[str]) -> tuple[Table, list[int]]:
    """The known columns of a CSV file with a header, typed, and the line number of every row.

    Raises RecordError for a file that is missing, empty, not text, truncated, or lacks a required column, and for a
    value that is not of its column's kind.
    """
    path = Path(path)
    header, rows, lines = _read_csv(path)
    missing = [name for name in required if name not in header]
    if missing:
        raise _error(path, 1, f"no column {missing[0]!r} among {', '.join(header)}",
                     f"the columns {', '.join(required)}", "add or rename the column")  # fmt: skip
    kinds = {column.name: column.kind for column in columns}
    table: Table = {}
    for index, name in enumerate(header):
        if name in kinds:
            cells = [row[index].strip() for row in rows]
            table[name] = _typed(path, name, kinds[name], cells, lines, name in required)
    return table, lines


def _read_csv(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise RecordError(f"{path}: no such file; expected a CSV table; check the path") from None
    except IsADirectoryError:
        raise RecordError(f"{path} is a folder; expected a CSV file; name the file in it") from None
    except UnicodeDecodeError:
        raise RecordError(f"{path} is not a text file; expected a CSV table in UTF-8; check the path") from None
    if "\0" in text:
        raise RecordError(f"{path} is not a text file (it holds NUL bytes); expected a CSV table; check the path")
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows, lines = [], []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise RecordError(f"{path}, line {reader.line_num}: {error}; expected a complete CSV table") from None
    if not any(header):
        raise RecordError(f"{path} is empty; expected a CSV table with a header line; write it again")
    if len(header) == 1 and (mark := next((mark for mark in ";\t|" if mark in header[0]), None)):
        raise _error(path, 1, f"columns with {mark!r} between them", "commas, and points in numbers", "save it so")
    for name in header:
        if header.count(name) > 1:
            raise _error(path, 1, f"column {name!r} occurs twice", "each column once", "delete or rename one")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise _error(path, line, f"{len(row)} fields", f"{len(header)} fields as in the header",
                         "the file may be cut off or not a CSV table; write it again")  # fmt: skip
    if not rows:
        raise RecordError(f"{path} has a header and no rows; expected at least one row; play or add some")
    return header, rows, lines


def _typed(path: Path, name: str, kind: str, cells: list[str], lines: list[int], required: bool) -> np.ndarray:
    if kind == "text":
        if required and "" in cells:
            raise _error(path, lines[cells.index("")], f"{name} is empty", "a name", "fill it or delete the row")
        return np.array(cells, dtype=object)
    numbers = np.full(len(cells), math.nan)
    for row, cell in enumerate(cells):
        if cell:
            numbers[row] = _number(path, lines[row], name, kind, cell, required)
        elif required and kind == "count":
            raise _error(path, lines[row], f"{name} is empty", "a count", "fill it or delete the row")
    return numbers


def _number(path: Path, line: int, name: str, kind: str, cell: str, required: bool) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise _error(path, line, f"{name} = {cell!r}", "a number", "correct the cell") from None
    if not math.isfinite(value):
        remedy = "correct the cell or delete the row" if required else "leave the cell empty where it is unknown"
        raise _error(path, line, f"{name} = {cell!r}", "a finite number", remedy)
    if kind in ("count", "amount") and value < 0:
        raise _error(path, line, f"{name} = {cell}", "0 or more", "correct the cell")
    if kind == "count" and value != round(value):
        raise _error(path, line, f"{name} = {cell}", "a whole number", "enter half wins as draws")
    return value


def _check_match(path: Path, line: int, row: dict) -> None:
    """The counts of one match must agree with each other."""
    if row["agent_a"] == row["agent_b"]:
        raise _error(path, line, f"agent {row['agent_a']!r} matched with itself", "two agents", "delete the row")
    total = row["wins_a"] + row["draws"] + row["wins_b"]
    if not math.isnan(row.get("games", math.nan)) and row["games"] != total:
        raise _error(path, line, f"games = {row['games']:g}", f"wins_a + draws + wins_b = {total:g}", "correct the row")
    colours = [row.get(name, math.nan) for name in COLOURS]
    if not any(math.isnan(count) for count in colours):
        wins_a, draws_a, wins_b, draws_b = colours
        if wins_a > row["wins_a"] or wins_b > row["wins_b"] or draws_a + draws_b != row["draws"]:
            raise _error(path, line, f"counts by colour {[int(count) for count in colours]}",
                         "parts of wins_a, draws, wins_b with draws_a_first + draws_b_first = draws",
                         "correct the row or delete the four columns")  # fmt: skip
    outcomes = row.get("outcomes", "")
    if outcomes:
        counted = [outcomes.count(letter) for letter in "wdl"]
        if (
            counted != [row["wins_a"], row["draws"], row["wins_b"]]
            or sum(counted) != len(outcomes)
            or len(outcomes) % 2
        ):
            raise _error(path, line, f"outcomes {outcomes[:20]!r}",
                         "two letters w, d, l per opening that add up to the counts",
                         "correct the row or delete the column")  # fmt: skip
        counted = [
            outcomes[0::2].count("w"),
            outcomes[0::2].count("d"),
            outcomes[1::2].count("l"),
            outcomes[1::2].count("d"),
        ]
        if not any(math.isnan(count) for count in colours) and counted != colours:
            raise _error(path, line, f"counts by colour {[int(count) for count in colours]}",
                         f"{counted} as in outcomes",
                         "correct the row or delete the column outcomes")  # fmt: skip


def _check_unique(path: Path, names: np.ndarray, lines: list[int]) -> None:
    seen: dict[str, int] = {}
    for name, line in zip(names, lines, strict=True):
        if name and name in seen:
            raise _error(path, line, f"agent {name!r} is already on line {seen[name]}", "each agent once", "delete one")
        seen[name] = line


def _error(path: Path, line: int, value: str, expected: str, remedy: str) -> RecordError:
    return RecordError(f"{path}, line {line}: {value}; expected {expected}; {remedy}")


# ---- writing -------------------------------------------------------------------------------------------------------


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Mapping]) -> None:
    """Write a CSV table atomically; None and nan become empty cells, whole floats lose their point."""
    columns = list(columns)
    lines = [columns, *([_cell(row.get(name)) for name in columns] for row in rows)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    write_text(path, buffer.getvalue())


def write_json(path: Path, value) -> None:
    """Write JSON atomically; nan and infinity, which JSON lacks, become null."""
    write_text(path, json.dumps(_plain(value), indent=2, allow_nan=False) + "\n")


def _cell(value) -> str:
    if not isinstance(value, float | np.floating):
        return "" if value is None else str(value)
    number = float(value)
    if not math.isfinite(number):
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.8g}"


def _plain(value):
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
