"""The schedule: nobody meets itself or the same one twice; near equals meet, siblings hardly, the strong the anchor."""

import numpy as np
import pytest

from experiments.schedule import first_guess, plan_round

SNAPSHOTS, BUDGETS = 30, 4


def pool(seed=0):
    """Strengths and snapshots of 30 snapshots with 4 budgets each, and the perfect player last."""
    rng = np.random.default_rng(seed)
    base = np.repeat(rng.uniform(-1500, -100, SNAPSHOTS), BUDGETS)
    strength = base + np.tile(np.arange(BUDGETS) * 60, SNAPSHOTS)
    return np.append(strength, 0.0), np.append(np.repeat(np.arange(SNAPSHOTS), BUDGETS), SNAPSHOTS)


def rounds(count, opponents=3, anchor=None, seed=0):
    strength, snapshot = pool()
    played, plans = set(), []
    for number in range(count):
        plans.append(plan_round(strength, snapshot, played, opponents, np.random.default_rng([seed, number]), anchor))
        played |= set(plans[-1])
    return strength, snapshot, plans


def test_pairs_are_ordered_new_and_nobody_meets_itself():
    _, _, plans = rounds(5)
    for plan in plans:
        assert plan == sorted(plan) and all(0 <= i < j <= 120 for i, j in plan)
    everything = [pair for plan in plans for pair in plan]
    assert len(set(everything)) == len(everything)


def test_everybody_gets_the_opponents_it_asked_for():
    for opponents in (1, 3, 6):
        _, _, (plan,) = rounds(1, opponents)
        met = np.bincount(np.array(plan).ravel(), minlength=121)
        assert met.min() >= opponents
        assert met.mean() <= 2 * opponents


def test_near_equals_meet_and_some_are_far():
    strength, _, plans = rounds(3)
    pairs = np.array([pair for plan in plans for pair in plan])
    distance = np.abs(strength[pairs[:, 0]] - strength[pairs[:, 1]])
    everyone = np.abs(strength[:, None] - strength[None])
    assert np.median(distance) < 0.5 * np.median(everyone)
    assert 0.05 < (distance > 300).mean() < 0.5


def test_budgets_of_one_snapshot_hardly_meet():
    _, snapshot, plans = rounds(3)
    pairs = np.array([pair for plan in plans for pair in plan])
    assert (snapshot[pairs[:, 0]] == snapshot[pairs[:, 1]]).mean() < 0.01


def test_siblings_meet_where_there_is_nobody_else():
    assert plan_round(np.zeros(3), np.zeros(3), set(), 2, np.random.default_rng(0)) == [(0, 1), (0, 2), (1, 2)]


def test_the_strongest_meet_the_anchor_once_and_nobody_else_does():
    strength, _, plans = rounds(3, anchor=120)
    strong = np.flatnonzero(strength[:120] > strength[:120].max() - 100)
    assert len(strong) > 2
    assert sorted(i for plan in plans for i, j in plan if j == 120) == strong.tolist()


def test_the_same_generator_gives_the_same_plan():
    assert rounds(2)[2] == rounds(2)[2]
    assert rounds(2)[2] != rounds(2, seed=1)[2]


@pytest.mark.parametrize("count, anchor", [(1, None), (2, None), (2, 1), (3, 2), (5, 0)])
def test_a_small_pool_is_played_out_and_then_rests(count, anchor):
    played = set()
    for number in range(6):
        plan = plan_round(np.arange(count) * 10.0, np.arange(count), played, 2, np.random.default_rng(number), anchor)
        assert not played & set(plan)
        played |= set(plan)
    assert played == {(i, j) for j in range(count) for i in range(j)}


def test_the_first_guess_orders_by_compute_and_knows_no_nan():
    guess = first_guess(np.array([1e6, 1e6, 1e9, np.nan, np.nan]), np.array([1, 64, 1, 1, np.nan]))
    assert np.isfinite(guess).all()
    assert guess[0] < guess[1] and guess[0] < guess[2] and guess[3] < guess[0] and guess[4] == guess[3]
    assert np.isfinite(first_guess(np.array([np.nan]), np.array([np.nan]))).all()
