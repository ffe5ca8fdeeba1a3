"""The command on a study and on anybody's table: planted numbers come back, what is missing is said."""

import json

import numpy as np
import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from experiments import frontier, records, synthetic
from experiments.analysis import Settings
from experiments.records import RecordError

TRUTH = synthetic.Truth(widths=(4, 12, 40, 128), snapshots=5, budgets=(1, 8, 64), openings=12, opponents=6)
JONES = {"flops_slope": 510, "size_slope": -430, "intercept": -4400, "plateau_slope": -270, "plateau_intercept": 570}
QUICK = Settings(replicates=25)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    synthetic.write_study(folder, TRUTH, 3)
    report = frontier.finish(folder, settings=QUICK)
    return folder, report, json.loads((folder / "frontier.json").read_text())


def write_ratings(path, columns, rows):
    records.write_table(path, columns, [dict(zip(columns, row, strict=True)) for row in rows])
    return path


def test_a_study_leaves_all_its_files(study):
    folder, report, _ = study
    assert report == folder / "report.html" and report.stat().st_size > 50_000
    names = {path.name for path in (folder / "figures").iterdir()}
    wanted = {"elo_against_training", "elo_against_search", "iso_elo", "exchange_rate", "optimality"}
    assert names == {f"{name}.{kind}" for name in wanted for kind in ("png", "svg")}


def test_the_planted_numbers_are_in_frontier_json(study):
    _, _, numbers = study
    trade = numbers["tradeoff"]
    low, high = trade["exchange_rate_ci"]
    assert 0 < low < TRUTH.exchange_rate < high
    assert trade["exchange_rate"] == pytest.approx(trade["train_slope"] / trade["test_slope"])
    assert set(trade["per_size"]) == {"3", "4", "5"} and trade["by_elo"]
    assert numbers["tradeoff_first_move"]["exchange_rate"] == pytest.approx(trade["exchange_rate"], abs=0.15)
    wanted = {
        "flops_slope",
        "size_slope",
        "intercept",
        "plateau_slope",
        "plateau_intercept",
        "rmse",
        "residual_variance",
    }
    assert wanted <= set(numbers["changepoint"]) and wanted <= set(numbers["changepoint_jones"])
    assert numbers["changepoint"]["flops_slope"] > 0 > numbers["changepoint"]["size_slope"]
    assert [row["size"] for row in numbers["leave_one_size_out"]] == [3, 4, 5]


def test_what_it_was_fitted_on_is_said(study):
    _, _, numbers = study
    on = numbers["fitted_on"]
    assert on["agents"] == 183 and on["agents_with_compute"] == 180 and on["runs"] == 12 and on["sizes"] == [3, 4, 5]
    assert on["games"] > 5000 and on["undetermined"] == 0
    assert numbers["anchor"]["hex5"] == {"agent": "perfect-5", "perfect": True, "best": True}


def test_jones_counts_half_of_the_self_play(study):
    _, _, numbers = study
    for row in numbers["reached"].values():
        if row:
            assert row["log10_selfplay_macs"] == pytest.approx(row["log10_train"] + np.log10(0.7 / 2), abs=1e-6)


def test_plans_stay_within_what_was_measured(study):
    _, _, numbers = study
    plans = [row for row in numbers["plans"] if "log10_train_flops" in row]
    assert plans
    for row in plans:
        assert 8 <= row["log10_train_flops"] <= 11 and row["evaluations"] >= 1 and row["width"] in TRUTH.widths
        assert row["elo"] >= row["target_elo"] - 1e-6


def test_ratings_of_a_study_carry_its_agents_columns(study):
    folder, _, _ = study
    table = records.read_ratings(folder / "ratings.csv")
    assert {"elo", "elo_se", "games", "determined", "train_flops", "optimality", "run"} <= set(table)
    assert np.isnan(table["train_flops"][table["anchor"] == 1]).all()
    for size in (3, 4, 5):
        assert (np.diff(table["elo"][table["size"] == size]) <= 0).all()


def test_finishing_again_gives_the_same_bytes(study):
    folder, _, _ = study
    files = [folder / name for name in ("ratings.csv", "frontier.json", "report.html", "figures/iso_elo.svg")]
    before = [path.read_bytes() for path in files]
    frontier.finish(folder, settings=QUICK)
    assert [path.read_bytes() for path in files] == before


def test_its_own_ratings_are_a_table_for_the_command(study, tmp_path):
    folder, _, numbers = study
    found = frontier.table_result(folder / "ratings.csv", QUICK).numbers
    assert found["tradeoff"]["exchange_rate"] == pytest.approx(numbers["tradeoff"]["exchange_rate"], abs=0.1)
    assert np.isfinite(found["tradeoff"]["exchange_rate_ci"]).all()


# ---- anybody's table -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise, tolerance", [(0, 0.001), (30, 0.06)])
def test_jones_parameters_come_back_from_three_columns(tmp_path, noise, tolerance):
    rng = np.random.default_rng(0)
    rows = []
    for size in range(3, 10):
        for train in np.linspace(9, 17, 25):
            elo = min(max(510 * train - 430 * size - 4400, -270 * size + 570), 0) + rng.normal(0, noise)
            rows.append((size, 10.0**train, elo))
    path = write_ratings(tmp_path / "jones.csv", ["size", "train_flops", "elo"], rows)
    result = frontier.table_result(path, QUICK)
    fitted = result.numbers["changepoint"]
    assert {name: fitted[name] for name in JONES} == pytest.approx(JONES, rel=tolerance)
    assert fitted["taken_as"] == "rows" and result.numbers["tradeoff"] is None
    assert frontier.write(result, tmp_path / "out").exists()


def test_a_scale_that_does_not_end_at_zero_is_told_and_keeps_its_tradeoff(tmp_path):
    """Ratings around 1000, as elsewhere: nobody is called near perfect play, and no curve is bent down to 0."""
    columns = ["size", "train_flops", "test_flops_per_move", "elo"]
    rows = [(5, 10.0**x, 10.0**y, 1000 + 200 * x + 100 * y - 3000) for x in range(8, 13) for y in range(3, 7)]
    result = frontier.table_result(write_ratings(tmp_path / "high.csv", columns, rows), QUICK)
    assert result.numbers["changepoint"] is None and result.numbers["reached"] == {"5": None}
    assert result.numbers["warnings"][0].startswith("frontier: Elo go up to 1000, where the model ends at 0")
    assert result.numbers["tradeoff"]["exchange_rate"] == pytest.approx(2)
    assert "perfect play or best agent = 0" not in frontier.write(result, tmp_path / "out").read_text()


def test_an_anchor_is_called_the_best_only_where_it_is(tmp_path):
    folder = tmp_path / "study"
    synthetic.write_study(folder, TRUTH, 3)
    anchor = next(row["agent"] for row in synthetic.agents(TRUTH, np.random.default_rng(3)) if row["size"] == 5)
    report = frontier.write(frontier.study_result(folder, anchor, QUICK), tmp_path).read_text()
    assert f"hex5: {anchor} is 0" in report and "hex4: perfect-4 (perfect play) is 0" in report


def test_agents_far_below_the_best_do_not_pull_the_frontier_down(tmp_path):
    """Five networks per budget, the best on Jones's frontier, the others 100 to 600 Elo below."""
    rng = np.random.default_rng(1)
    rows = []
    for size in range(3, 8):
        for train in np.arange(9, 17, 0.25):
            best = min(max(510 * train - 430 * size - 4400, -270 * size + 570), 0)
            rows += [(size, 10.0**train, best - gap) for gap in (0, *rng.uniform(100, 600, 4))]
    path = write_ratings(tmp_path / "mixed.csv", ["size", "train_flops", "elo"], rows)
    fitted = frontier.table_result(path, QUICK).numbers["changepoint"]
    assert fitted["taken_as"] == "envelope" and fitted["flops_slope"] == pytest.approx(510, rel=0.05)
    assert fitted["size_slope"] == pytest.approx(-430, rel=0.05)


def test_a_table_with_test_compute_gets_a_tradeoff(tmp_path):
    rng = np.random.default_rng(2)
    axes = [(size, x, y) for size in (4, 5) for x in np.arange(8, 12, 0.4) for y in np.arange(3, 7, 0.5)]
    elo = [np.clip(210 * (x - 11) + 150 * (y - 6) - 300 * (size - 5), -1200, 0) for size, x, y in axes]
    rows = [(b, 10.0**x, 10.0**y, e + rng.normal(0, 20)) for (b, x, y), e in zip(axes, elo, strict=True)]
    path = write_ratings(tmp_path / "t.csv", ["size", "train_flops", "test_flops_per_move", "elo"], rows)
    numbers = frontier.table_result(path, QUICK).numbers
    assert numbers["tradeoff"]["exchange_rate"] == pytest.approx(1.4, rel=0.04)
    assert any("no interval" in text for text in numbers["warnings"])
    with_errors = [(*row, 20.0) for row in rows]
    write_ratings(path, ["size", "train_flops", "test_flops_per_move", "elo", "elo_se"], with_errors)
    low, high = frontier.table_result(path, QUICK).numbers["tradeoff"]["exchange_rate_ci"]
    assert low < 1.4 < high < low + 0.3


def test_a_table_that_follows_no_model_is_said_to(tmp_path):
    rng = np.random.default_rng(3)
    rows = [(size, 10.0**x, rng.normal(-900, 300)) for size in (3, 4, 5) for x in np.arange(8, 12, 0.2)]
    path = write_ratings(tmp_path / "noise.csv", ["size", "train_flops", "elo"], rows)
    result = frontier.table_result(path, QUICK)
    assert any("not to be trusted" in text for text in result.numbers["warnings"])


def test_two_games_of_one_size_are_not_fitted_as_one(tmp_path):
    columns = ["game", "size", "train_flops", "elo"]
    rows = [(game, size, 10.0 ** (6 + k), -900 + 200 * k) for game, size in (("hex", 5), ("y", 5)) for k in range(4)]
    with pytest.raises(RecordError, match="size 5 is that of hex and of y"):
        frontier.table_result(write_ratings(tmp_path / "both.csv", columns, rows), QUICK)
    apart = [(game, size + (game == "y"), train, elo) for game, size, train, elo in rows]
    assert len(frontier.table_result(write_ratings(tmp_path / "apart.csv", columns, apart), QUICK).agents) == 8


def test_one_agent_gives_warnings_and_no_fit(tmp_path):
    path = write_ratings(tmp_path / "one.csv", ["size", "train_flops", "elo"], [(3, 1e9, -10.0)])
    result = frontier.table_result(path, QUICK)
    assert result.numbers["changepoint"] is None and "expected at least" in result.numbers["warnings"][0]
    assert frontier.write(result, tmp_path / "out").exists()


def test_a_table_of_long_searches_alone_gets_a_tradeoff_and_no_frontier(tmp_path):
    columns = ["size", "train_flops", "test_flops_per_move", "elo", "budget"]
    rows = [(5, 10.0**x, 10.0**4 * n, 200 * (x - 12) + 100 * np.log10(n), n) for x in range(6, 12) for n in (128, 512)]
    result = frontier.table_result(write_ratings(tmp_path / "long.csv", columns, rows), QUICK)
    assert result.numbers["changepoint"] is None and result.numbers["tradeoff"]["exchange_rate"] == pytest.approx(2)
    assert "at most 64 evaluations per move; raise max_evaluations" in result.numbers["warnings"][0]
    assert frontier.write(result, tmp_path / "out").exists()


def test_a_run_without_budgets_enters_the_frontier_with_its_longest_search(tmp_path):
    """Not with the mean over its searches, which the table tells apart by their compute alone."""
    columns = ["size", "run", "train_flops", "test_flops_per_move", "elo"]
    rows = [(5, "a", 10.0**x, 10.0**y, 100 * (x + y) - 2000) for x in range(8, 12) for y in (3, 5)]
    result = frontier.table_result(write_ratings(tmp_path / "runs.csv", columns, rows), QUICK)
    best = {point["log10_train_flops"]: point["elo"] for point in result.numbers["frontier"]}
    assert best[8] == -700 and best[11] == -400


# ---- settings and errors -------------------------------------------------------------------------------------------


def call(*overrides):
    with initialize_config_module("configs", version_base="1.3"):
        return frontier.command.__wrapped__(compose("frontier", overrides=list(overrides)))


def test_settings_of_the_file_are_the_defaults():
    with initialize_config_module("configs", version_base="1.3"):
        composed = OmegaConf.to_container(compose("frontier"))
    settings = frontier.FrontierConfig(study_dir="x").settings()
    assert settings == Settings() and composed["replicates"] == settings.replicates
    assert composed["plan"]["moves"] == list(settings.plan_moves)
    assert composed["plan"]["targets"] == list(settings.plan_targets)


@pytest.mark.parametrize(
    "overrides, words",
    [
        ([], "neither"),
        (["study_dir=a", "ratings=b", "out=c"], "both"),
        (["ratings=b.csv"], "without out"),
        (["study_dir=/nonexistent"], "no such folder"),
        (["ratings=/nonexistent.csv", "out=/tmp/x"], "no such file"),
        (["study_dir=a", "replicates=0"], "replicates = 0"),
        (["study_dir=a", "plan.moves=[-1]"], "plan.moves"),
    ],
)
def test_bad_settings(overrides, words):
    with pytest.raises(RecordError, match=words):
        call(*overrides)


def test_a_study_without_matches_names_the_remedy(tmp_path):
    with pytest.raises(RecordError, match=r"experiments\.arena"):
        frontier.finish(tmp_path)
