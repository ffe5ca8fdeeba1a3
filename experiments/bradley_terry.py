"""Bradley-Terry ratings by maximum likelihood with a weak Gaussian prior, their covariance, and what they rest on.

P(i beats j) = 1 / (1 + exp(-(r_i - r_j + f lead))), Bradley & Terry 1952 (Biometrika 39), with an optional first-move
term f as in Davidson & Beaver 1977 (Biometrics 33); a draw counts as half a win for each. Ratings r are in nats here
and leave this file in Elo (400 log10 of the odds). Each r_i has the prior N(0, prior_sd); it fixes the free level and
keeps ratings finite where the matches alone would not (Ford 1957, Amer. Math. Monthly 64: the maximum is finite if and
only if no group of agents was never beaten by the rest).

The problem is concave: damped Newton, dense for small pools, conjugate gradients on the sparse Hessian for large ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
from scipy.sparse.csgraph import connected_components

ELO = 400 / np.log(10)  # Elo per nat
PRIOR_SD = 1000.0  # Elo
DENSE = 400  # pools up to this many agents are solved with dense matrices
TOLERANCE = 1e-9  # nats; the last Newton step of a converged fit is smaller
MAX_STEPS = 100


@dataclass(frozen=True)
class Pairings:
    """Results of n agents, one row per pair and kind of game (M rows).

    `points` are wins plus half the draws of agent `i` out of `games`; `lead` is +1 where i moved first in all of them,
    -1 where j did, 0 where that is unknown or mixed.
    """

    n: int
    i: np.ndarray  # int64 [M]
    j: np.ndarray  # int64 [M]
    points: np.ndarray  # float64 [M]
    games: np.ndarray  # float64 [M]
    lead: np.ndarray  # float64 [M]


@dataclass(frozen=True)
class Fit:
    """Ratings in Elo, mean 0 before anchoring. `covariance` [n, n] in Elo^2 is of all ratings, prior included."""

    elo: np.ndarray  # [n]
    covariance: np.ndarray  # [n, n], empty if not asked for
    first_move: float  # Elo, worth of moving first; nan without the term
    first_move_se: float

    def errors(self, anchor: int) -> np.ndarray:
        """Standard error of elo[i] - elo[anchor] for every i, [n]."""
        c = self.covariance
        variance = np.diag(c) + c[anchor, anchor] - 2 * c[:, anchor]
        return np.sqrt(np.maximum(variance, 0))


def fit(pairings: Pairings, first_move: bool = False, prior_sd: float = PRIOR_SD, start: Fit | None = None,
        covariance: bool = True) -> Fit:  # fmt: skip
    """The most probable ratings. `start` is an earlier fit of the same agents to begin from.

    Raises ArithmeticError if Newton's method does not converge, which the concave problem should not allow.
    """
    problem = _Problem(pairings, first_move, prior_sd)
    x = np.zeros(problem.size)
    if start is not None:
        x[: pairings.n] = (start.elo - start.elo.mean()) / ELO
        if first_move:
            x[-1] = np.nan_to_num(start.first_move) / ELO
    value = problem.value(x)
    for _ in range(MAX_STEPS):
        step = problem.newton_step(x)
        step[: pairings.n] -= step[: pairings.n].mean()  # the optimum has mean 0; rounding must not drift along it
        scale = min(1.0, 4 / max(np.abs(step).max(), 1e-300))  # nats; far from the optimum the quadratic model is poor
        while (trial := problem.value(x + scale * step)) > value + 1e-12 * abs(value) and scale > 1e-6:
            scale /= 2
        x, value = x + scale * step, trial
        if np.abs(scale * step).max() < TOLERANCE:
            break
    else:
        raise ArithmeticError(f"ratings of {pairings.n} agents did not converge in {MAX_STEPS} Newton steps")
    full = problem.covariance(x) if covariance else np.zeros((0, 0))
    n = pairings.n
    edge = x[-1] * ELO if first_move else np.nan
    edge_se = float(np.sqrt(full[-1, -1])) * ELO if first_move and covariance else np.nan
    return Fit(x[:n] * ELO, full[:n, :n] * ELO**2, edge, edge_se)


class _Problem:
    """Negative log posterior over x = (r_1 ... r_n [, f]) in nats."""

    def __init__(self, pairings: Pairings, first_move: bool, prior_sd: float):
        keep = pairings.games > 0
        self.i, self.j = pairings.i[keep], pairings.j[keep]
        self.points, self.games = pairings.points[keep], pairings.games[keep]
        self.lead = pairings.lead[keep] * first_move
        self.n = pairings.n
        self.first_move = first_move
        self.size = pairings.n + first_move
        self.precision = (ELO / prior_sd) ** 2

    def _odds(self, x):
        return x[self.i] - x[self.j] + (self.lead * x[-1] if self.first_move else 0)

    def value(self, x):
        d = self._odds(x)
        return self.games @ np.logaddexp(0, d) - self.points @ d + self.precision / 2 * (x @ x)

    def newton_step(self, x):
        expected = 1 / (1 + np.exp(-self._odds(x)))
        slack = self.points - self.games * expected
        gradient = np.bincount(self.i, slack, self.size) - np.bincount(self.j, slack, self.size)
        if self.first_move:
            gradient[-1] = slack @ self.lead
        gradient -= self.precision * x
        weights = self.games * expected * (1 - expected)
        if self.size <= DENSE:
            return scipy.linalg.solve(self._dense(weights), gradient, assume_a="pos", check_finite=False)
        hessian = self._sparse(weights)
        scaling = scipy.sparse.diags_array(1 / hessian.diagonal())
        step, failed = scipy.sparse.linalg.cg(
            hessian, gradient, rtol=1e-6, atol=1e-12, maxiter=20 * self.size, M=scaling
        )
        return scipy.linalg.solve(hessian.toarray(), gradient, assume_a="pos") if failed else step

    def covariance(self, x):
        expected = 1 / (1 + np.exp(-self._odds(x)))
        weights = self.games * expected * (1 - expected)
        hessian = self._dense(weights) if self.size <= DENSE else self._sparse(weights).toarray()
        factor, _ = scipy.linalg.cho_factor(hessian, lower=True, overwrite_a=True, check_finite=False)
        inverse, _ = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
        return np.tril(inverse) + np.tril(inverse, -1).T

    def _dense(self, w):
        n = self.size
        cells = np.concatenate([self.i * n + self.j, self.j * n + self.i])
        hessian = -np.bincount(cells, np.concatenate([w, w]), n * n).reshape(n, n)
        diagonal = np.bincount(self.i, w, n) + np.bincount(self.j, w, n) + self.precision
        hessian[np.diag_indices(n)] += diagonal
        if self.first_move:
            row = np.bincount(self.i, w * self.lead, n) - np.bincount(self.j, w * self.lead, n)
            hessian[-1] += row
            hessian[:, -1] += row
            hessian[-1, -1] += w @ self.lead**2
        return hessian

    def _sparse(self, w):
        n = self.size
        diagonal = np.bincount(self.i, w, n) + np.bincount(self.j, w, n) + self.precision
        rows, columns, values = [self.i, self.j, np.arange(n)], [self.j, self.i, np.arange(n)], [-w, -w, diagonal]
        if self.first_move:
            edge = np.bincount(self.i, w * self.lead, n) - np.bincount(self.j, w * self.lead, n)
            edge[-1] = w @ self.lead**2
            last = np.full(n, n - 1)
            rows, columns, values = (
                [*rows, last, np.arange(n - 1)],
                [*columns, np.arange(n), last[:-1]],
                [*values, edge, edge[:-1]],
            )
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return scipy.sparse.coo_array(entries, shape=(n, n)).tocsr()


# ---- what the matches determine ------------------------------------------------------------------------------------


def groups(pairings: Pairings) -> tuple[np.ndarray, np.ndarray]:
    """(strong, weak): component numbers [n] of the graph in which i points to j if i ever scored against j.

    The likelihood alone fixes the difference of two ratings if and only if both agents are in the same strong
    component (Ford 1957); agents in different weak components never met, not even through others.
    """
    scored = pairings.points > 0
    conceded = pairings.points < pairings.games
    winners = np.concatenate([pairings.i[scored], pairings.j[conceded]])
    losers = np.concatenate([pairings.j[scored], pairings.i[conceded]])
    graph = scipy.sparse.coo_array((np.ones(len(winners)), (winners, losers)), shape=(pairings.n, pairings.n)).tocsr()
    _, strong = connected_components(graph, directed=True, connection="strong")
    _, weak = connected_components(graph, directed=False)
    return strong, weak
