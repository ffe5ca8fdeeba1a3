"""Envelopes and fits: planted numbers come back, hard starts are survived, bad data are refused or reported."""

import dataclasses

import numpy as np
import pytest

from experiments import analysis, collect, fits, intervals, planner, ratings, records, synthetic
from experiments.envelope import Agents, Envelope, Points
from experiments.fits import FitError

JONES = {"flops_slope": 510, "size_slope": -430, "intercept": -4400, "plateau_slope": -270, "plateau_intercept": 570}


def jones_points(noise, rng, sizes=range(3, 10), each=25):
    size = np.repeat(np.array(sizes, float), each)
    train = np.tile(np.linspace(9, 17, each), len(size) // each)
    elo = np.minimum(np.maximum(510 * train - 430 * size - 4400, -270 * size + 570), 0)
    return Points(size, train, 0 * train, elo + rng.normal(0, noise, len(elo)), np.zeros(len(elo), int))


def plane_points(rng, noise=10.0, train_slope=200.0, test_slope=140.0):
    train, test = (axis.ravel() for axis in np.meshgrid(np.arange(8, 12, 0.25), np.arange(3, 7, 0.25)))
    plane = train_slope * (train - 11) + test_slope * (test - 7) - 50
    elo = np.clip(plane, -1000, -20) + rng.normal(0, noise, len(train))
    return Points(np.full(len(train), 5.0), train, test, elo, np.zeros(len(train), int))


def agents(train, test, elo, run=None, recipe=None, arm=None, errors=None, size=5.0):
    n = len(elo)
    none = np.full(n, -1)
    return Agents(np.array([f"a{k}" for k in range(n)], object), np.full(n, size), np.array(train, float),
                  np.array(test, float), np.array(elo, float), none if run is None else np.array(run),
                  none if recipe is None else np.array(recipe), none if arm is None else np.array(arm),
                  np.zeros((0, n)) if errors is None else errors)  # fmt: skip


# ---- changepoint ---------------------------------------------------------------------------------------------------


def test_changepoint_recovers_exact_parameters():
    fitted = fits.fit(jones_points(0, np.random.default_rng(0)), fits.changepoint_shape(7))
    assert fitted.parameters() == pytest.approx(JONES, rel=1e-6)
    assert fitted.rmse < 1e-6 and not fitted.warnings("frontier")


@pytest.mark.parametrize("noise, tolerance", [(20, 0.04), (60, 0.12)])
def test_changepoint_recovers_noisy_parameters(noise, tolerance):
    for seed in range(5):
        fitted = fits.fit(jones_points(noise, np.random.default_rng(seed)), fits.changepoint_shape(7))
        assert fitted.parameters() == pytest.approx(JONES, rel=tolerance)
        assert fitted.rmse == pytest.approx(noise, rel=0.15)


def test_residual_variance_is_what_jones_calls_so():
    """At 40 Elo of noise his parameters leave about 0.4 % of the variance."""
    points = jones_points(40, np.random.default_rng(1))
    fitted = fits.fit(points, fits.changepoint_shape(7))
    residual = points.elo - fitted.predict(points)
    assert fitted.residual_variance == pytest.approx(np.mean(residual**2) / np.var(points.elo))


def test_a_naive_start_is_stuck_and_ours_is_not():
    """The check of the check: from a flat start the clamps have no gradient, and the residual says so."""
    points = jones_points(20, np.random.default_rng(2))
    shape = fits.changepoint_shape(7)
    good = fits.fit(points, shape)
    stuck = fits.fit(points, shape, dataclasses.replace(good, vector=np.zeros(5)))
    assert stuck.residual_variance > 0.3 and "not to be trusted" in stuck.warnings("frontier")[0]


def test_one_size_goes_without_size_terms():
    fitted = fits.fit(jones_points(5, np.random.default_rng(3), sizes=[5]), fits.changepoint_shape(1))
    assert fitted["flops_slope"] == pytest.approx(510, rel=0.05) and "size_slope" not in fitted.parameters()


def test_a_floor_that_is_not_seen_is_left_out():
    points = jones_points(5, np.random.default_rng(4))
    rising = points.take(points.elo > np.maximum(-270 * points.size + 650, -1e9))
    fitted = fits.fit(rising, fits.changepoint_shape(7))
    assert "plateau_slope" not in fitted.parameters() and fitted["flops_slope"] == pytest.approx(510, rel=0.03)
    assert any("floor" in text for text in fitted.warnings("frontier"))


@pytest.mark.parametrize("shape", [fits.changepoint_shape(1), fits.tradeoff_shape(1)])
def test_slopes_between_two_levels_with_nothing_between_are_said_to_be_undetermined(shape):
    train, test = (axis.ravel().astype(float) for axis in np.meshgrid(range(8, 14), range(3, 6)))
    levels = Points(np.full(18, 5.0), train, test, np.where(train > 10, 0.0, -1000.0), np.zeros(18, int))
    assert any("determine its slopes" in told for told in fits.fit(levels, shape).warnings("frontier"))


def test_degenerate_data_are_refused():
    rng = np.random.default_rng(5)
    points = jones_points(5, rng)
    with pytest.raises(FitError, match="4 points for 5 parameters"):
        fits.fit(points.take(np.arange(4)), fits.changepoint_shape(7))
    with pytest.raises(FitError, match="flops_slope"):
        fits.fit(points.take(points.train == points.train[3]), fits.changepoint_shape(7))
    with pytest.raises(FitError, match="within"):
        fits.fit(dataclasses.replace(points, elo=0 * points.elo), fits.changepoint_shape(7))


def test_leave_one_size_out_predicts_planted_sizes():
    found = analysis.leave_one_size_out(jones_points(20, np.random.default_rng(6)))
    assert [row["size"] for row in found] == list(range(3, 10))
    assert all(row["rmse"] < 60 and abs(row["bias"]) < 45 for row in found)
    assert analysis.leave_one_size_out(jones_points(20, np.random.default_rng(6), sizes=[3, 4])) == []


# ---- trade-off -----------------------------------------------------------------------------------------------------


def test_surface_recovers_slopes_floor_and_ceiling():
    fitted = fits.fit(plane_points(np.random.default_rng(0)), fits.tradeoff_shape(1))
    assert fitted["train_slope"] == pytest.approx(200, rel=0.03) and fitted["test_slope"] == pytest.approx(
        140, rel=0.03
    )
    assert fitted["floor_intercept"] == pytest.approx(-1000, abs=15) and fitted["ceiling"] == pytest.approx(-20, abs=15)


def test_surface_is_robust_against_wild_points():
    rng = np.random.default_rng(1)
    points = plane_points(rng)
    wild = rng.random(len(points)) < 0.1
    points.elo[wild] -= rng.uniform(200, 900, wild.sum())
    fitted = fits.fit(points, fits.tradeoff_shape(1))
    assert fits.ratio(fitted["train_slope"], fitted["test_slope"]) == pytest.approx(200 / 140, rel=0.08)


def test_bands_find_a_rate_that_changes_with_strength():
    """Training is worth 200 below -500 Elo and 100 above, search 100 everywhere."""
    train, test = (axis.ravel() for axis in np.meshgrid(np.arange(6, 14, 0.25), np.arange(3, 9, 0.25)))
    level = 200 * (train - 10) + 100 * (test - 6) - 500
    elo = np.where(level < -500, level, -500 + 100 * (train - 10) + 100 * (test - 6))
    elo = np.where((level >= -500) & (elo < -500), -500, elo)
    points = Points(np.full(len(train), 5.0), train, test, elo, np.zeros(len(train), int))
    surface = fits.fit(points, fits.tradeoff_shape(1))
    low, _, high = fits.bands(points, surface, np.array([-1400.0, -700, -300, 300]))
    assert low.exchange_rate > 1.6 and high.exchange_rate < 1.3


def test_ratio_without_gain_from_search():
    assert fits.ratio(100, 50) == 2 and fits.ratio(100, 0) == float("inf") and np.isnan(fits.ratio(-1, 0))


# ---- envelope ------------------------------------------------------------------------------------------------------


def test_envelope_by_hand():
    """Two runs over the same budgets: the better one at each point, interpolated between snapshots."""
    pool = agents(train=[8, 9, 8, 9], test=[3, 3, 3, 3], elo=[-400, -200, -350, -300], run=[0, 0, 1, 1],
                  recipe=[0, 0, 1, 1], arm=[0, 0, 0, 0])  # fmt: skip
    points = Envelope(pool, flat=True).points(pool.elo, pool.errors)
    assert points.train.tolist() == [8, 8.25, 8.5, 8.75, 9]
    assert points.elo.tolist() == [-350, -337.5, -300, -250, -200]
    assert points.recipe.tolist() == [1, 1, 0, 0, 0]


def test_repeats_of_a_recipe_are_averaged():
    pool = agents(train=[8, 8], test=[3, 3], elo=[-400, -200], run=[0, 1], recipe=[0, 0], arm=[0, 0])
    envelope = Envelope(pool, flat=False)
    assert envelope.points(pool.elo, pool.errors).elo.tolist() == [-300]
    assert envelope.points(pool.elo, pool.errors, np.array([3, 1])).elo.tolist() == [-350]


def test_agents_without_a_run_count_once_however_often_runs_are_drawn():
    pool = agents(train=[8, 8.25], test=[3, 3], elo=[-400, -200], run=[0, -1], recipe=[0, -1], arm=[0, 0])
    envelope = Envelope(pool, flat=True)
    assert envelope.points(pool.elo, pool.errors, np.array([1])).elo.tolist() == [-400, -200]
    assert envelope.points(pool.elo, pool.errors, np.array([0])).elo.tolist() == [-200]


def test_points_that_nobody_spends_are_left_out():
    """The small network was not searched deeper than 10^4, the large one is hopeless: nothing is known about 10^6."""
    pool = agents(train=[8] * 4, test=[3, 4, 5, 6], elo=[-400, -300, -900, -800], run=[0, 0, 1, 1], recipe=[0, 0, 1, 1])
    points = Envelope(pool, flat=False).points(pool.elo, pool.errors)
    assert points.test.max() == 4.5 and points.elo.min() >= -400


def test_the_winners_curse_is_real_and_removed():
    """40 equal networks with errors of 50 Elo: the plain maximum is 100 too high, the split one is right."""
    rng = np.random.default_rng(0)
    n, biases = 40, []
    for _ in range(30):
        errors = rng.normal(0, 50, (8, n))
        each = np.arange(n)
        pool = agents(np.full(n, 9.0), np.full(n, 4.0), rng.normal(-500, 50, n), each, each, 0 * each, errors)
        envelope = Envelope(pool, flat=False)
        biases.append([envelope.points(pool.elo, splits).elo[0] + 500 for splits in (errors[:0], errors)])
    plain, split = np.mean(biases, axis=0)
    assert plain > 80 and abs(split) < 15


def test_agents_without_runs_are_packed_without_loss():
    rng = np.random.default_rng(1)
    train, test, elo = rng.uniform(8, 11, 200), rng.uniform(3, 6, 200), rng.normal(-300, 100, 200)
    points = Envelope(agents(train, test, elo), flat=False).points(elo, np.zeros((0, 200)))
    for x, y, value in zip(points.train, points.test, points.elo, strict=True):
        assert value == pytest.approx(elo[(train <= x + 1e-9) & (test <= y + 1e-9)].max())


def test_recipes_are_runs_without_their_seed():
    table = {
        "elo": np.zeros(5), "size": np.full(5, 3.0), "train_flops": np.full(5, 1e9), "width": np.full(5, 8.0),
        "run": np.array(["hex3-8x2-s0", "hex3-8x2-s1", "hex3-8x2-s1-lr=2", "hex3-8x2-s10", ""], object),
        "seed": np.array(["0", "1", "1", "10", ""], object),
    }  # fmt: skip
    found = collect.collect(table, np.zeros((0, 5)))
    a, b, other, c, none = found.recipe
    assert a == b == c != other and none == -1 and len(set(found.run)) == 5


def test_jones_counts_multiply_adds_of_self_play():
    table = {"elo": np.zeros(2), "size": np.full(2, 3.0), "train_flops": np.array([3e9, 5e9]),
             "selfplay_flops": np.array([2e9, np.nan])}  # fmt: skip
    found = collect.collect(table, np.zeros((0, 2)), selfplay_macs=True)
    assert found.train.tolist() == [9.0] and collect.collect(table, np.zeros((0, 2))).train[1] == np.log10(5e9)


# ---- planner -------------------------------------------------------------------------------------------------------


def test_cheapest_plan_splits_in_the_exchange_rate():
    """On the plane train : moves x test = train_slope : test_slope (Lagrange), within a step of the lattice."""
    points = plane_points(np.random.default_rng(0), noise=0)
    fitted = fits.fit(points, fits.tradeoff_shape(1))
    train, test, elo = planner.best(fitted, planner.lattice(points), planner.Wish(-300, None, 1e4))
    assert elo >= -300 and elo < -275
    assert train - (test + 4) == pytest.approx(np.log10(200 / 140), abs=0.2)


def test_plan_for_a_sum_is_the_mirror_of_a_plan_for_a_strength():
    points = plane_points(np.random.default_rng(0), noise=0)
    fitted, places = fits.fit(points, fits.tradeoff_shape(1)), planner.lattice(points)
    train, test, elo = planner.best(fitted, places, planner.Wish(-300, None, 1e4))
    total = 10**train + 1e4 * 10**test
    again = planner.best(fitted, places, planner.Wish(None, total * 1.0001, 1e4))
    assert again[2] == pytest.approx(elo, abs=5)
    assert planner.best(fitted, places, planner.Wish(200, None, 1e4)) is None
    assert planner.best(fitted, places, planner.Wish(None, 1.0, 1e4)) is None


# ---- the whole path ------------------------------------------------------------------------------------------------

SMALL = synthetic.Truth(
    sizes=(4, 5), widths=(4, 12, 40, 128), snapshots=5, budgets=(1, 8, 64), openings=12, opponents=6
)


def test_a_planted_exchange_rate_is_recovered_and_covered(tmp_path):
    """Five small studies from games to interval; coverage is measured at length by experiments.synthetic."""
    covered, rates = 0, []
    for seed in range(5):
        estimate = synthetic.estimate(SMALL, seed, tmp_path, replicates=60)
        rates.append(estimate.rate)
        covered += estimate.low <= SMALL.exchange_rate <= estimate.high
    assert np.mean(rates) == pytest.approx(SMALL.exchange_rate, abs=0.12) and covered >= 4


def test_a_size_that_cannot_be_fitted_in_a_draw_takes_no_draw_from_the_others():
    """At size 4 one of two runs is a single agent: a quarter of the draws have that run alone."""
    grid = [(x, y) for x in np.arange(8, 11, 0.5) for y in np.arange(3, 6, 0.5)]
    rows = [(5, run, x, y) for run in range(4) for x, y in grid] + [(4, 4, x, y) for x, y in grid] + [(4, 5, 8, 3)]
    size, run, train, test = np.array(rows, float).T
    elo = 200 * (train - 11) + 140 * (test - 6) - 100 * (size - 5) + 5 * run
    pool = agents(train, test, elo, run.astype(int), run.astype(int), 0 * run, size=1.0)
    pool = dataclasses.replace(pool, size=size)
    numbers = analysis.tradeoff(pool, {}, analysis.Settings(replicates=24)).numbers
    assert (
        np.isfinite(numbers["exchange_rate_ci"]).all() and np.isfinite(numbers["per_size"]["5"]["test_slope_ci"]).all()
    )
    assert np.isnan(numbers["per_size"]["4"]["test_slope_ci"]).all(), "fewer than 20 draws"


def test_intervals_without_anything_to_draw_from_are_absent():
    points = plane_points(np.random.default_rng(0))
    pool = agents(points.train, points.test, points.elo)
    assert intervals.bootstrap(pool, lambda sample: {"x": 1.0}, 30, np.random.default_rng(0)) == {}


def test_runs_are_drawn_within_recipes_where_there_are_repeats():
    pool = agents([8] * 4, [3] * 4, [0] * 4, run=[0, 1, 2, 3], recipe=[0, 0, 1, 1], arm=[0] * 4)
    rng = np.random.default_rng(0)
    for _ in range(20):
        times = intervals.resampled(pool, rng).times
        assert times[:2].sum() == times[2:].sum() == 1
    lone = dataclasses.replace(pool, recipe=np.arange(4))
    assert all(intervals.resampled(lone, rng).times.sum() == 4 for _ in range(5))


def test_a_run_on_several_sizes_is_one_run():
    table = {
        "elo": np.zeros(8), "size": np.array([3.0, 3, 4, 4, 3, 4, 3, 4]), "seed": np.array(list("00000011"), object),
        "train_flops": np.array([1e9, 2e9, 1e9, 2e9, 1e9, 3e9, 1e9, 1e9]),
        "run": np.array(["both-s0"] * 4 + ["own-s0"] * 2 + ["both-s1"] * 2, object),
    }  # fmt: skip
    found = collect.collect(table, np.zeros((0, 8)))
    assert len(set(found.run[:4])) == 1 and found.run[6] == found.run[7]
    assert len(set(found.run)) == 4 and found.run[4] != found.run[5]  # the same name, but not the same training
    assert len({(recipe, size) for recipe, size in zip(found.recipe, found.size, strict=True)}) == 4


@pytest.mark.parametrize("seeds", [1, 4])
def test_the_sizes_of_one_run_are_drawn_together(seeds):
    """The luck of a run shifts all its sizes, so that it does not average out over them."""
    rng, count = np.random.default_rng(0), 24
    luck = rng.normal(0, 40, count)
    size, run = np.repeat([3.0, 4.0, 5.0], count), np.tile(np.arange(count), 3)
    recipe = (size * count + run // seeds).astype(int)
    pool = agents([8] * 3 * count, [3] * 3 * count, luck[run], run=run, recipe=recipe, arm=0 * run)
    pool = dataclasses.replace(pool, size=size)
    means = []
    for _ in range(2000):
        times = intervals.resampled(pool, rng).times
        means.append(np.average(pool.elo, weights=times[pool.run]))
    within = luck.reshape(-1, seeds) - luck.reshape(-1, seeds).mean(axis=1, keepdims=True) if seeds > 1 else luck
    expected = within.std() / np.sqrt(count - (count // seeds if seeds > 1 else 0))
    assert np.std(means) == pytest.approx(expected, rel=0.1)


def test_a_size_never_loses_all_its_runs():
    """Two runs on two sizes, two more on the smaller one alone: a draw of the latter only would leave one size."""
    pool = agents([8] * 6, [3] * 6, [0] * 6, run=[0, 1, 2, 3, 0, 1], recipe=[0, 1, 2, 3, 4, 5], arm=[0] * 6)
    pool = dataclasses.replace(pool, size=np.array([3.0, 3, 3, 3, 4, 4]))
    rng = np.random.default_rng(0)
    assert all(intervals.resampled(pool, rng).times[:2].sum() == 2 for _ in range(20))


def test_ratings_of_a_synthetic_study_are_right(tmp_path):
    players = synthetic.write_study(tmp_path, dataclasses.replace(SMALL, opening_spread=0.0), 0)
    true = {player["agent"]: player["true_elo"] for player in players}
    rated, _ = ratings.rate_study(tmp_path, first_move=True)
    for one in rated:
        error = one.elo - np.array([true[name] for name in one.pool.names])
        assert one.anchor_is_perfect and one.determined.all() and error.std() < 50
        assert abs(error.mean()) < 3 * one.elo_se.mean()
    assert records.read_matches(tmp_path / "matches.csv")["outcomes"][0]


def test_an_interval_holds_its_estimate():
    assert intervals.holding([0.78, 1.07], 0.77) == [0.77, 1.07]
    assert intervals.holding([0.78, 1.07], 0.9) == [0.78, 1.07]
    assert intervals.holding([0.78, np.inf], 0.5) == [0.5, np.inf]
    assert np.isnan(intervals.holding([np.nan, np.nan], 0.5)).all()
