"""Who meets whom: rounds in which near equals meet, with some far matches and the perfect player to hold the scale.

The error of a rating per game played is least between equals (the variance p (1 - p) of a result is largest there), but
errors add up along a ladder of neighbours: so one opponent per agent and round is drawn from anywhere near the top of
what is still informative, and the strongest meet the anchor itself. Only they do: half of the openings are lost for
the perfect player too, and weak agents win more of those than the ladder says, since it does not set traps. Measured
against all, it came out 115 Elo below the best agents of Hex 5x5, whom it beats.
"""

from __future__ import annotations

import numpy as np

NEAR = 120.0  # Elo: typical distance of a near opponent
FAR = 350.0  # Elo: typical distance of the one far opponent
ANCHOR = 100.0  # Elo below the best within which agents meet the perfect player


def plan_round(
    strength: np.ndarray,
    snapshot: np.ndarray,
    played: set[tuple[int, int]],
    opponents: int,
    rng: np.random.Generator,
    anchor: int | None = None,
) -> list[tuple[int, int]]:
    """New pairs (i < j) of the n agents, sorted: each agent seeks `opponents`, so that it meets about twice as many.

    strength: Elo so far, or a guess of it in the first round, [n]. snapshot: agents with the same number are one
    snapshot with different budgets, [n]; they meet others first, since matches among siblings overrate search. With
    `anchor` every agent within ANCHOR Elo of the best meets it, once in all rounds together, and nobody else does.
    """
    pairs: set[tuple[int, int]] = set()
    for i in rng.permutation(len(strength)):
        if i != anchor:
            _seek(i, strength, snapshot, played, pairs, opponents, rng, anchor)
    return sorted(pairs - played)


def plan_newcomer(
    strength: np.ndarray,
    played: set[tuple[int, int]],
    opponents: int,
    rng: np.random.Generator,
    anchor: int | None = None,
) -> list[tuple[int, int]]:
    """New pairs of the last of the n agents alone, who seeks `opponents` by the same rules; nobody seeks it."""
    pairs: set[tuple[int, int]] = set()
    _seek(len(strength) - 1, strength, np.arange(len(strength)), played, pairs, opponents, rng, anchor)
    return sorted(pairs - played)


def _seek(i, strength, snapshot, played, pairs, opponents, rng, anchor):
    """Add the pairs of agent `i` to `pairs`."""
    if anchor is not None and strength[i] > np.delete(strength, anchor).max() - ANCHOR:
        pairs.add(_pair(i, anchor))
    for k in range(opponents):
        width = FAR if k == opponents - 1 and opponents > 1 else NEAR
        weight = np.exp(-0.5 * ((strength - strength[i]) / width) ** 2) + 1e-9
        weight[snapshot == snapshot[i]] *= 1e-3
        weight[[i] if anchor is None else [i, anchor]] = 0.0
        taken = [b if a == i else a for a, b in played | pairs if i in (a, b)]
        weight[taken] = 0.0
        if weight.sum() > 0:
            pairs.add(_pair(i, rng.choice(len(strength), p=weight / weight.sum())))


def first_guess(train_flops: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    """A rough Elo before any match, from compute alone; nan counts as none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        train, test = np.log10(train_flops), np.log10(budgets)
    floor = np.nanmin(train, initial=np.inf) - 1 if np.isfinite(train).any() else 0.0
    return 200 * np.nan_to_num(train, nan=floor) + 150 * np.nan_to_num(test, nan=0.0, neginf=0.0)


def _pair(i, j) -> tuple[int, int]:
    return (int(min(i, j)), int(max(i, j)))
