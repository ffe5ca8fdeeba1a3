"""What the fits hand to figures and report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.analysis import Tradeoff
from experiments.envelope import Agents, Points
from experiments.fits import Fitted
from experiments.ratings import Rated
from experiments.records import Table


@dataclass
class Result:
    """Everything that figures and report show."""

    title: str
    table: Table  # rated agents
    agents: Agents  # those with known compute
    points: Points  # of the frontier
    changepoint: Fitted | None
    tradeoff: Tradeoff | None
    numbers: dict[str, Any]  # frontier.json
    rated: list[Rated]  # empty for a foreign table
    runs: list[dict]  # provenance of the runs
