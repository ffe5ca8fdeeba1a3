"""Priors from logits and the best of them: work that every new node costs for each of its actions.

The loops have no branches: nobody can predict which actions are legal, and wrong guesses cost more than the arithmetic.
So the compiler makes them wide, and maxima and sums run over integers (non-negative floats are ordered as the integers
of the same bits), where order cannot matter: the results are the same whatever the machine makes of the loops.
"""

import math

import numpy as np

from games.core import inlined_kernel, lean_kernel

_LOG2_E = np.float32(1.44269504)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # ln 2 in two parts; n * _LN2_HIGH is exact
_C2, _C3, _C4, _C5, _C6 = (np.float32(1 / math.factorial(k)) for k in range(2, 7))
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_FAR = np.float32(1e30)  # below any logit
_LOWEST = np.float32(-80.0)  # less than e^-80 of the largest counts as that
_FIXED_POINT = np.float32(2.0**32)
_LAST = 0x7FFFFFFF
_MOST = np.int64(2**56)  # beyond what 2^24 actions can sum to; sums with nan are negative, 0 or far beyond


@inlined_kernel
def turn(logits, view, straight, prior):
    """prior[view[j]] = logits[j]; `straight` says that view[j] is j."""
    if straight:
        for j in range(len(logits)):
            prior[j] = logits[j]
    else:
        for j in range(len(logits)):
            prior[view[j]] = logits[j]


@inlined_kernel
def masked_softmax(prior, legal):
    """Softmax of the legal logits in `prior` [A], in place, -1 where not legal. Returns the largest of them."""
    bits, largest = prior.view(np.int32), np.int32(-(2**31))
    for a in range(len(prior)):
        prior[a] = prior[a] if legal[a] else -_FAR
        largest = max(largest, _ordered(bits[a]))
    top = np.int32(_ordered(largest)).view(np.float32)
    for a in range(len(prior)):
        prior[a] = _exp(max(prior[a] - top, _LOWEST)) if legal[a] else _ZERO
    total = np.int64(0)
    for a in range(len(prior)):
        total += np.int64(prior[a] * _FIXED_POINT)
    if not 0 < total < _MOST:  # a network that diverged answers with numbers that are none
        return _evenly(legal, prior)
    scale = _FIXED_POINT / np.float32(total)
    for a in range(len(prior)):
        prior[a] = prior[a] * scale if legal[a] else -_ONE
    return scale  # times e^0


@lean_kernel
def _evenly(legal, prior):
    """Every legal action equally likely; returns that share."""
    count = 0
    for a in range(len(legal)):
        count += legal[a]
    share = _ONE / np.float32(count)
    for a in range(len(prior)):
        prior[a] = share if legal[a] else -_ONE
    return share


@lean_kernel
def highest(prior):
    """Index of the largest non-negative entry of [A], the lowest of equals; -1 if there is none."""
    bits, top = prior.view(np.int32), np.int64(-1)
    for a in range(len(bits)):  # value and index in one number, so that one pass finds both
        top = max(top, np.int64(bits[a]) << 32 | (_LAST - a))
    return -1 if top < 0 else _LAST - (top & _LAST)


@lean_kernel
def first(prior, value):
    """Index of the first entry of [A] that is `value`, which must be there."""
    return _first(prior.view(np.int32), np.float32(value).view(np.int32))


@lean_kernel
def _first(bits, top):
    best = np.int32(len(bits))
    for a in range(len(bits)):
        best = min(best, np.int32(a) if bits[a] == top else np.int32(len(bits)))
    return best


@lean_kernel
def _ordered(bits):
    """Floats are ordered as the integers of the same bits once all bits but the sign of negative ones are turned over.

    Twice is not at all.
    """
    return np.int32(bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF)))


@lean_kernel
def _exp(x):
    """e^x for -80 <= x <= 0 with a relative error below 3e-7: 2^n e^r with |r| <= ln 2 / 2, and e^r by its series."""
    n = np.int32(x * _LOG2_E - np.float32(0.5))
    r = x - np.float32(n) * _LN2_HIGH - np.float32(n) * _LN2_LOW
    series = (((((_C6 * r + _C5) * r + _C4) * r + _C3) * r + _C2) * r + _ONE) * r + _ONE
    return series * np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)
