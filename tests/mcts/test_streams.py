"""Random streams: the right distributions, reproducible, and independent of each other and of the batch."""

import numpy as np
import pytest
from scipy import stats

from games import make
from mcts.streams import gamma, normal, sample_rows, seed_streams, uniform, uniforms

COUNT = 20_000


def drawn(draw, *more, seed=0):
    """Numbers of one stream, one after the other."""
    streams = seed_streams(seed, np.arange(3))
    return np.array([draw(streams, 1, *more) for _ in range(COUNT)])


def test_splitmix_is_the_published_generator():
    """The first outputs of SplitMix64 from state 0, as integers; here as 53-bit fractions of them."""
    streams = np.zeros(1, np.uint64)
    published = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)
    for number in published:
        assert uniform(streams, 0) == ((number >> 11) + 0.5) / 2**53


@pytest.mark.parametrize("draw, more, law", [
    (uniform, (), stats.uniform),
    (normal, (), stats.norm),
    (gamma, (0.1,), stats.gamma(0.1)),
    (gamma, (1.0,), stats.gamma(1.0)),
    (gamma, (2.5,), stats.gamma(2.5)),
    (gamma, (50.0,), stats.gamma(50.0)),
])  # fmt: skip
def test_numbers_of_one_stream_follow_their_law(draw, more, law):
    assert stats.kstest(drawn(draw, *more), law.cdf).pvalue > 1e-3


def test_first_numbers_of_neighbouring_streams_follow_their_law():
    for keys in ((0,), (12345, 7), (2**40,)):
        streams = seed_streams(*keys, np.arange(COUNT))
        first = np.array([uniform(streams, b) for b in range(COUNT)])
        assert stats.kstest(first, stats.uniform.cdf).pvalue > 1e-3
        assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 4 / np.sqrt(COUNT)


def test_numbers_of_a_stream_are_uncorrelated_and_never_the_ends():
    numbers = drawn(uniform)
    assert numbers.min() > 0 and numbers.max() < 1
    for lag in (1, 2, 3, 10):
        assert abs(np.corrcoef(numbers[:-lag], numbers[lag:])[0, 1]) < 4 / np.sqrt(COUNT)


def test_not_even_the_stream_that_comes_nearest_to_one_draws_it():
    """This state's number has all bits set, and 1 - 2^-54 would be rounded to 1."""
    assert uniform(np.array([0x31628AF67B2131AB], np.uint64), 0) == 1 - 2**-53


def test_the_same_keys_give_the_same_streams_and_other_keys_others():
    np.testing.assert_array_equal(seed_streams(1, 2, np.arange(4)), seed_streams(1, 2, np.arange(4)))
    everything = [seed_streams(*keys) for keys in ((0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0), (10**12, 5))]
    assert len(np.unique(np.concatenate(everything))) == len(everything)
    assert len(np.unique(seed_streams(3, np.arange(100_000)))) == 100_000


def test_a_draw_advances_its_own_stream_only():
    streams = seed_streams(0, np.arange(4))
    before = streams.copy()
    uniform(streams, 2)
    assert (streams != before).tolist() == [False, False, True, False]


def test_sampling_is_proportional_to_the_weights():
    weights = np.array([0.0, 1.0, 0.0, 2.0, 5.0, 0.0], np.float32)
    drawn = sample_rows(seed_streams(4, np.arange(COUNT)), np.repeat(weights[None], COUNT, 0))
    counts = np.bincount(drawn, minlength=6)
    assert (counts[weights == 0] == 0).all()
    chosen = weights > 0
    assert stats.chisquare(counts[chosen], COUNT * weights[chosen] / weights.sum()).pvalue > 1e-3


def test_sampling_does_not_depend_on_the_batch():
    weights = np.random.default_rng(0).random((50, 7)).astype(np.float32)
    streams = seed_streams(5, np.arange(50))
    together = sample_rows(streams.copy(), weights)
    apart = [sample_rows(streams[[b]], weights[[b]])[0] for b in range(50)]
    np.testing.assert_array_equal(together, apart)


def test_rows_without_weight_give_no_action():
    assert sample_rows(seed_streams(0, np.arange(2)), np.array([[0, 0], [0, 1]], np.float32)).tolist() == [-1, 1]


def test_a_random_legal_move_is_a_sample_of_the_mask():
    """Exactly: runs of the same seed begin with the same moves, however they are picked. Ended games give -1."""
    game, streams = make("tictactoe"), seed_streams(8, np.arange(300))
    states, same = game.reset(300), streams.copy()
    for _ in range(9):
        actions = game.pick(states, uniforms(streams))
        np.testing.assert_array_equal(actions, sample_rows(same, game.legal(states).astype(np.float32)))
        running = np.flatnonzero(actions >= 0)
        part = states[running]
        game.advance(part, actions[running])
        states[running] = part
    assert game.over(states).all() and len(running) < 300
    np.testing.assert_array_equal(streams, same)
