"""Priors from logits against float64, and the candidate by its definition."""

import numpy as np
import pytest

from mcts.softmax import highest, masked_softmax, turn


@pytest.mark.parametrize("actions", [1, 2, 7, 9, 16, 25, 81, 362])
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0, 1e4])
def test_masked_softmax_is_the_softmax_of_the_legal_logits(actions, spread):
    rng = np.random.default_rng(actions)
    for _ in range(30):
        logits = (spread * rng.normal(size=actions) + rng.normal()).astype(np.float32)
        view = rng.permutation(actions)
        legal = rng.random(actions) < rng.random()
        legal[rng.integers(actions)] = True
        prior = np.full(actions, np.nan, np.float32)
        turn(logits, view, False, prior)
        masked_softmax(prior, legal)
        seen = np.empty(actions, np.float32)
        seen[view] = logits
        below_top = (seen[legal] - seen[legal].max()).astype(np.float64)
        expected = np.exp(np.maximum(below_top, -80))  # less counts as e^-80
        np.testing.assert_allclose(prior[legal], expected / expected.sum(), rtol=2e-6)
        assert (prior[~legal] == -1).all()
        assert (prior[legal] > 0).all()


def test_softmax_over_the_range_of_the_exponential():
    """Two actions with logits 0 and x: the ratio of the priors is e^x, down to e^-80."""
    for x in np.concatenate([-np.logspace(-7, np.log10(80), 3000), [0.0, -80.0, -np.log(2) / 2]]).astype(np.float32):
        prior = np.array([0, x], np.float32)
        masked_softmax(prior, np.ones(2, np.bool_))
        assert prior[1] / prior[0] == pytest.approx(np.exp(float(x)), rel=5e-7)


def test_highest_is_the_first_of_the_largest():
    rng = np.random.default_rng(0)
    for actions in (1, 2, 9, 81):
        for _ in range(200):
            prior = rng.choice(np.array([-1, 0, 0.25, 0.5, 1e-38], np.float32), actions)
            expected = prior.argmax() if (prior >= 0).any() else -1
            assert highest(prior) == expected
