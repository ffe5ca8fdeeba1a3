"""Random streams, one per row, so that what a game draws never depends on its batch.

A stream is one uint64: the state of a SplitMix64 generator (Steele, Lea & Flood 2014, "Fast splittable pseudorandom
number generators", figure 14). An array of B of them is the whole random state of B games: it is saved and restored
like any array.
"""

import math

import numpy as np

from games.core import lean_kernel

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_BELOW_ONE = 1.0 - 2.0**-53  # the largest float below 1


def seed_streams(*keys: int | np.ndarray) -> np.ndarray:
    """Streams derived from integer keys, broadcast together: `seed_streams(seed, game, np.arange(B))` is uint64 [B]."""
    arrays = np.broadcast_arrays(*(np.asarray(key).astype(np.uint64) for key in keys))
    mixed = np.zeros(arrays[0].shape, np.uint64)
    with np.errstate(over="ignore"):
        for array in arrays:
            mixed = _finalise((mixed ^ array) + _GAMMA)
    return np.atleast_1d(mixed)


def _finalise(z):
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    return z ^ (z >> np.uint64(31))


@lean_kernel
def uniform(streams, b):
    """The next number of stream b, in (0, 1); never exactly 0 or 1."""
    streams[b] += _GAMMA
    z = streams[b]
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    z = z ^ (z >> np.uint64(31))
    return min((np.float64(z >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0), _BELOW_ONE)


def uniforms(streams: np.ndarray) -> np.ndarray:
    """The next number of each stream, in (0, 1), float64 [B]."""
    numbers = np.empty(len(streams))
    _draw(streams, numbers)
    return numbers


@lean_kernel
def _draw(streams, numbers):
    for b in range(len(streams)):
        numbers[b] = uniform(streams, b)


@lean_kernel
def normal(streams, b):
    """A standard normal number (Box & Muller 1958, one of the pair)."""
    radius = math.sqrt(-2.0 * math.log(uniform(streams, b)))
    return radius * math.cos(2.0 * math.pi * uniform(streams, b))


@lean_kernel
def gamma(streams, b, shape):
    """A gamma number of the given shape and scale 1 (Marsaglia & Tsang 2000, sections 2 and 8)."""
    boost = 1.0
    if shape < 1.0:
        boost = uniform(streams, b) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(streams, b)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        if math.log(uniform(streams, b)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v * boost


@lean_kernel
def sample(streams, weights, out):
    """out[b] = an index drawn with probability weights[b] / sum; zeros give -1. weights [B, A], out int64 [B]."""
    for b in range(len(weights)):
        total = 0.0
        for a in range(weights.shape[1]):
            total += weights[b, a]
        threshold = uniform(streams, b) * total
        out[b] = -1
        for a in range(weights.shape[1]):
            if weights[b, a] > 0:
                out[b] = a
                threshold -= weights[b, a]
                if threshold < 0:
                    break


def sample_rows(streams: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One index per row, drawn with probability proportional to `weights` [B, A]; advances `streams` [B]."""
    out = np.empty(len(weights), np.int64)
    sample(streams, weights, out)
    return out
