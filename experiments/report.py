"""The page a person reads: one HTML file with its figures inside, which opens from disk without a network."""

from __future__ import annotations

import base64
import json
import math
import shlex
from pathlib import Path
from typing import Any

import jinja2

from experiments.result import Result
from games.files import write_text

JONES = {"flops_slope": 510, "size_slope": -430, "intercept": -4400, "plateau_slope": -270, "plateau_intercept": 570}
JONES_RESIDUAL = 0.006
JONES_REACHED = {3: 11.15, 4: 12.00, 5: 12.85, 6: 13.71, 7: 14.56, 8: 15.41, 9: 16.26}
"""log10 self-play multiply-adds to come within 50 Elo of perfect play, from his changepoint fit (arXiv 2104.03113)."""
JONES_RATE = 1.2

CAPTIONS = {
    "elo_against_training": (
        "Strength over training",
        "Every thin line is one run at one search budget, lighter for larger networks; dots are the best Elo for that "
        "much training, the line is the changepoint fit. Dashed lines are outside players, whom nobody trained here.",
    ),
    "elo_against_search": (
        "Strength over search",
        "Every line is one snapshot with more and more search; lighter lines were trained longer.",
    ),
    "iso_elo": (
        "Iso-Elo lines",
        "Squares are the best Elo to be had within both budgets; lines of equal strength come from the fitted surface. "
        "The steeper they fall, the more search a decade of training buys off.",
    ),
    "exchange_rate": (
        "The exchange rate by strength",
        "Dots are local fits between two levels of strength, bars their 95 % intervals; the line and its shade are the "
        "fit to the whole surface.",
    ),
    "optimality": (
        "Moves that keep the value",
        "The share of an agent's positions in which its move kept the game-theoretic value: a measure of strength that "
        "needs no opponents.",
    ),
}


def write(path: Path, result: Result, pictures: dict[str, bytes]) -> Path:
    """Write the report with its figures (SVG by name) atomically; returns its path."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"span": span, "num": number, "power": power, "duration": duration}
    images = [
        {"name": name, "title": CAPTIONS[name][0], "caption": CAPTIONS[name][1],
         "data": base64.b64encode(picture).decode()} for name, picture in pictures.items()
    ]  # fmt: skip
    text = environment.get_template("report.html.jinja").render(
        title=result.title, n=result.numbers, images=images, sentences=sentences(result.numbers), jones=JONES,
        jones_residual=JONES_RESIDUAL, jones_reached=JONES_REACHED, ran=what_ran(result), study=bool(result.rated),
    )  # fmt: skip
    write_text(path, text)
    return path


# ---- words ---------------------------------------------------------------------------------------------------------


def sentences(numbers: dict[str, Any]) -> list[str]:
    """What the slopes and the exchange rate mean, in words."""
    surface, curve = numbers.get("tradeoff"), numbers.get("changepoint")
    found = _of_surface(surface) if surface else []
    if curve:
        text = f"Along the frontier, ten times more training is worth {number(curve['flops_slope'])} Elo"
        if curve.get("size_slope"):
            text += f", and a board larger by one costs {number(-curve['size_slope'])} Elo"
        found.append(f"{text}, until the ceiling is near.")
    both = numbers.get("tradeoff_first_move") or {}
    if surface and both.get("exchange_rate"):
        found.append(f"With a first-move term in the ratings the exchange rate is "
                     f"{span(both['exchange_rate'], both['exchange_rate_ci'])}.")  # fmt: skip
    return found


def _of_surface(surface: dict[str, Any]) -> list[str]:
    train, test, rate = (surface[name] for name in ("train_slope", "test_slope", "exchange_rate"))
    if not (train > 0 and test > 0):
        return ["The surface does not rise in both kinds of compute, so there is no exchange rate to report."]
    low, high = surface["exchange_rate_ci"]
    within = (
        f", between {_times(low)} and {_times(high)} with 95 % confidence" if _finite(low) and _finite(high) else ""
    )
    return [
        f"Ten times more training is worth {span(train, surface['train_slope_ci'], 0)} Elo; ten times more search per "
        f"move is worth {span(test, surface['test_slope_ci'], 0)} Elo.",
        f"The exchange rate is {span(rate, [low, high])} decades of search per decade of training: at equal strength, "
        f"ten times more training saves a factor of {_times(rate)} of search{within}.",
        f"Jones (2021) found about {JONES_RATE} on Hex 9x9, a factor of {_times(JONES_RATE)}.",
    ]


def _times(decades: float) -> str:
    """A number of decades as a factor; as a power of ten where its digits would be many."""
    if abs(decades) >= 4:
        return f"10^{decades:.1f}"
    return f"{10**decades:.2g}" if decades < 0 else f"{10**decades:.{int(decades < 2)}f}"


def summary(numbers: dict[str, Any]) -> str:
    """The report in a few lines for the terminal."""
    lines = sentences(numbers)
    lines += [f"warning: {text}" for text in numbers.get("warnings", [])]
    return "\n".join(lines)


# ---- what was run --------------------------------------------------------------------------------------------------


def provenance(study_dir: Path) -> list[dict]:
    """What the runs of a study noted about themselves; a missing or broken note is left out."""
    found = []
    for path in [study_dir / "provenance.json", *sorted(study_dir.glob("runs/*/provenance.json"))]:
        try:
            note = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if isinstance(note, dict):
            found.append({"run": path.parent.name if path.parent != study_dir else "", **note})
    return found


def what_ran(result: Result) -> dict[str, Any]:
    """Commit, machine, command and time of the study, each only where it was noted."""
    runs = [note for note in result.runs if note["run"]]
    study = next((note for note in result.runs if not note["run"]), {})
    machines = {_machine(note["machine"]) for note in result.runs if note.get("machine")}
    seconds = [note["seconds"] for note in runs if isinstance(note.get("seconds"), int | float)]
    return {
        "commits": sorted({str(note["commit"]) for note in result.runs if note.get("commit")}),
        "machines": sorted(machines), "command": shlex.join(map(str, study.get("command", []))), "runs": len(runs),
        "started": study.get("started"), "updated": study.get("updated"), "run_seconds": sum(seconds) or None,
        "versions": study.get("versions") or (runs[0].get("versions") if runs else None),
        "python": study.get("python"),
    }  # fmt: skip


def _machine(machine: Any) -> str:
    if not isinstance(machine, dict):
        return str(machine)
    cores = f", {machine['cores']} cores" if machine.get("cores") else ""
    return f"{machine.get('processor') or machine.get('system') or 'unknown'}{cores}"


# ---- numbers as text -----------------------------------------------------------------------------------------------


def _finite(value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def number(value, digits: int = 0) -> str:
    """A number for a table; an en dash where it is missing."""
    return f"{value:,.{digits}f}".replace(",", " ").replace("-", "−") if _finite(value) else "–"


def span(value, interval, digits: int = 2) -> str:
    """A number with its interval where there is one."""
    if not interval or not _finite(interval[0]) or not _finite(value):
        return number(value, digits)
    high = number(interval[1], digits) if _finite(interval[1]) else "∞"
    return f"{number(value, digits)} [{number(interval[0], digits)}, {high}]"


def power(log10, digits: int = 2) -> str:
    """A power of ten from its exponent: 1.6e+10."""
    return f"{10**log10:.{digits - 1}e}" if _finite(log10) else "–"


def duration(seconds) -> str:
    """Seconds as people say them."""
    if not _finite(seconds):
        return "–"
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
