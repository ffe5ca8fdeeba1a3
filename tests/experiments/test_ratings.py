"""Bradley-Terry ratings: worked example, other software, planted ratings, invariances, what is not determined."""

import choix
import numpy as np
import pytest
import statsmodels.api

from experiments import bradley_terry, ratings, records
from experiments.bradley_terry import ELO, Pairings

FLAT = 1e7  # Elo; a prior too weak to matter


def pairings(n, rows, lead=None):
    i, j, wins, losses = (np.array(column) for column in zip(*rows, strict=True))
    lead = np.zeros(len(i)) if lead is None else np.array(lead, float)
    return Pairings(n, i, j, wins.astype(float), (wins + losses).astype(float), lead)


def random_pairings(rng, n=30, count=300, games=20, edge=0.0):
    true = np.sort(rng.normal(0, 300, n))
    i = rng.integers(n, size=count)
    j = (i + rng.integers(1, n, size=count)) % n
    lead = rng.choice([-1.0, 1.0], count)
    p = 1 / (1 + np.exp(-(true[i] - true[j] + edge * lead) / ELO))
    return true, Pairings(n, i, j, rng.binomial(games, p).astype(float), np.full(count, float(games)), lead)


def match_table(**columns):
    return {name: np.array(values, object if name.startswith(("agent", "outcomes")) else float)
            for name, values in columns.items()}  # fmt: skip


# ---- the model -----------------------------------------------------------------------------------------------------


def test_worked_example_by_hand():
    """x beats y 3 of 4: odds 3, 400 log10(3) = 190.85 Elo. Var = 1 / (4 x 3/4 x 1/4) nats^2, so se = 200.6 Elo."""
    fit = bradley_terry.fit(pairings(2, [(0, 1, 3, 1)]), prior_sd=FLAT)
    assert fit.elo[0] - fit.elo[1] == pytest.approx(400 * np.log10(3), abs=1e-3)
    assert fit.errors(1)[0] == pytest.approx(ELO / np.sqrt(4 * 0.75 * 0.25), rel=1e-3)
    assert fit.errors(1)[1] == 0


def test_first_move_by_hand():
    """Equal agents; the first mover wins 3 of 4: the term is 400 log10(3), the difference 0."""
    fit = bradley_terry.fit(pairings(2, [(0, 1, 3, 1), (0, 1, 1, 3)], lead=[1, -1]), first_move=True, prior_sd=FLAT)
    assert fit.first_move == pytest.approx(400 * np.log10(3), abs=1e-3)
    assert fit.elo[0] - fit.elo[1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("edge, shown", [(200, 151), (400, 74), (800, 10)])
def test_pooling_colours_shrinks_elo_and_the_term_restores_it(edge, shown):
    """A true difference of 200 Elo in the plain model, by hand: the mean score of both colours as Elo."""
    share = [1 / (1 + np.exp(-(200 + side) / ELO)) for side in (edge, -edge)]
    rows = [(0, 1, 1e4 * s, 1e4 * (1 - s)) for s in share]
    plain = bradley_terry.fit(pairings(2, rows, [1, -1]), prior_sd=FLAT)
    full = bradley_terry.fit(pairings(2, rows, [1, -1]), first_move=True, prior_sd=FLAT)
    assert plain.elo[0] - plain.elo[1] == pytest.approx(shown, abs=1)
    assert full.elo[0] - full.elo[1] == pytest.approx(200, abs=0.1)
    assert full.first_move == pytest.approx(edge, abs=0.1)


def test_agrees_with_choix():
    _, data = random_pairings(np.random.default_rng(0))
    wins = [(i, j) for i, j, w in zip(data.i, data.j, data.points, strict=True) for _ in range(int(w))]
    losses = [(j, i) for i, j, w in zip(data.i, data.j, data.games - data.points, strict=True) for _ in range(int(w))]
    prior = 1000.0
    other = choix.opt_pairwise(data.n, wins + losses, alpha=(ELO / prior) ** 2 / 2, tol=1e-10) * ELO
    assert np.allclose(bradley_terry.fit(data, prior_sd=prior).elo, other, atol=0.02)


def test_agrees_with_a_generalised_linear_model():
    """statsmodels' binomial GLM with the logit link: same estimates, same errors relative to the anchor."""
    _, data = random_pairings(np.random.default_rng(1), edge=60)
    rows = np.arange(len(data.i))
    design = np.zeros((len(rows), data.n + 1))
    design[rows, data.i] += 1
    design[rows, data.j] -= 1
    design[:, -1] = data.lead
    counts = np.stack([data.points, data.games - data.points], 1)
    glm = statsmodels.api.GLM(counts, design[:, 1:], family=statsmodels.api.families.Binomial()).fit()
    fit = bradley_terry.fit(data, first_move=True, prior_sd=FLAT)
    assert np.allclose((fit.elo - fit.elo[0])[1:], glm.params[:-1] * ELO, atol=0.01)
    assert np.allclose(fit.errors(0)[1:], glm.bse[:-1] * ELO, atol=0.01)
    assert fit.first_move == pytest.approx(glm.params[-1] * ELO, abs=0.01)
    assert fit.first_move_se == pytest.approx(glm.bse[-1] * ELO, abs=0.01)


@pytest.mark.parametrize("first_move", [False, True])
def test_sparse_solver_is_the_dense_one(monkeypatch, first_move):
    _, data = random_pairings(np.random.default_rng(2), edge=50)
    dense = bradley_terry.fit(data, first_move)
    monkeypatch.setattr(bradley_terry, "DENSE", 0)
    sparse = bradley_terry.fit(data, first_move)
    assert np.allclose(dense.elo, sparse.elo, atol=1e-6)
    assert np.allclose(dense.covariance, sparse.covariance, rtol=1e-6, atol=1e-6)


def test_planted_ratings_come_back_with_calibrated_errors():
    rng = np.random.default_rng(3)
    scores = []
    for _ in range(30):
        true, data = random_pairings(rng, edge=80)
        fit = bradley_terry.fit(data, first_move=True)
        anchor = 15
        error = (fit.elo - fit.elo[anchor] - true + true[anchor]) / np.maximum(fit.errors(anchor), 1e-9)
        scores.append(np.delete(error, anchor))
    spread = np.concatenate(scores).std()
    assert 0.85 < spread < 1.15
    assert np.mean(np.abs(np.concatenate(scores)) < 1.96) == pytest.approx(0.95, abs=0.03)


def test_the_prior_hardly_squeezes_the_scale():
    """A pool over 2000 Elo, each agent against four others, exact expected scores: the span comes back within 4 %."""
    true = np.arange(41) * 50.0
    links = [(k + gap, k, 50 * gap) for gap in (1, 3) for k in range(41 - gap)]
    rows = [(i, j, 64 / (1 + np.exp(-d / ELO)), 64 / (1 + np.exp(d / ELO))) for i, j, d in links]
    fit = bradley_terry.fit(pairings(41, rows))
    assert np.ptp(fit.elo) == pytest.approx(np.ptp(true), rel=0.04)


def test_two_thousand_agents_are_rated():
    true, data = random_pairings(np.random.default_rng(4), n=2000, count=20000)
    fit = bradley_terry.fit(data, covariance=False)
    assert (fit.elo - fit.elo.mean() - true + true.mean()).std() < 40


# ---- tables --------------------------------------------------------------------------------------------------------


def random_table(rng, n=12, rows=80, openings=8):
    true = rng.normal(0, 200, n)
    a = rng.integers(n, size=rows)
    b = (a + rng.integers(1, n, size=rows)) % n
    worth = np.linspace(0, 200, openings)  # Elo of moving first, by opening
    table = {name: [] for name in ("agent_a", "agent_b", "wins_a", "draws", "wins_b", *records.COLOURS, "outcomes")}
    for i, j in zip(a, b, strict=True):
        odds = np.stack([true[i] - true[j] + worth, true[i] - true[j] - worth], 1) / ELO
        won = rng.random(odds.shape) < 1 / (1 + np.exp(-odds))
        letters = np.where(rng.random(odds.shape) < 0.1, "d", np.where(won, "w", "l"))
        values = [f"p{i:02d}", f"p{j:02d}", (letters == "w").sum(), (letters == "d").sum(), (letters == "l").sum(),
                  (letters[:, 0] == "w").sum(), (letters[:, 0] == "d").sum(), (letters[:, 1] == "l").sum(),
                  (letters[:, 1] == "d").sum(), "".join(letters.ravel())]  # fmt: skip
        for name, value in zip(table, values, strict=True):
            table[name].append(value)
    return match_table(**table)


def rated(table, **how):
    (one,) = ratings.rate_table(table, **how)
    return dict(zip(one.pool.names, one.elo, strict=True)), one


def mirrored(table):
    """The same games with a and b exchanged in every row."""
    flip = str.maketrans("wl", "lw")
    turned = [
        "".join(text[k + 1] + text[k] for k in range(0, len(text), 2)).translate(flip) for text in table["outcomes"]
    ]
    swap = {"agent_a": "agent_b", "wins_a": "wins_b", "wins_a_first": "wins_b_first", "draws_a_first": "draws_b_first"}
    swap |= {b: a for a, b in swap.items()}
    return {name: table[swap.get(name, name)] for name in table} | {"outcomes": np.array(turned, object)}


@pytest.mark.parametrize("first_move", [False, True])
def test_invariances(first_move):
    rng = np.random.default_rng(5)
    table = random_table(rng)
    base, fit = rated(table, first_move=first_move)
    order = rng.permutation(len(table["agent_a"]))
    shuffled = {name: values[order] for name, values in table.items()}
    without = {name: values for name, values in table.items() if name != "outcomes"}
    for other in (shuffled, mirrored(table), without):
        elo, again = rated(other, first_move=first_move)
        assert elo == pytest.approx(base, abs=1e-6)
        assert again.fit.first_move == pytest.approx(fit.fit.first_move, abs=1e-6, nan_ok=True)
    if first_move:
        assert fit.fit.first_move > 50  # planted at 100 with its sign


def test_splitting_rows_changes_nothing():
    whole = match_table(agent_a=["x", "y"], agent_b=["y", "z"], wins_a=[6, 5], draws=[2, 0], wins_b=[4, 3])
    parts = match_table(
        agent_a=["x", "y", "y"], agent_b=["y", "z", "x"], wins_a=[4, 5, 1], draws=[1, 0, 1], wins_b=[3, 3, 2]
    )
    assert rated(parts)[0] == pytest.approx(rated(whole)[0], abs=1e-9)


def test_draws_are_half_wins():
    drawn = match_table(agent_a=["x"], agent_b=["y"], wins_a=[2], draws=[4], wins_b=[2])
    assert rated(drawn)[0] == pytest.approx({"x": 0, "y": 0}, abs=1e-9)


def test_bootstrap_errors_match_the_covariance_where_games_are_independent():
    rng = np.random.default_rng(6)
    _, data = random_pairings(rng, n=10, count=60)
    names = [f"p{k}" for k in range(10)]
    table = match_table(agent_a=[names[i] for i in data.i], agent_b=[names[j] for j in data.j], wins_a=data.points,
                        draws=0 * data.points, wins_b=data.games - data.points)  # fmt: skip
    _, one = rated(table)
    spread = one.bootstrap(400, rng).std(axis=0)
    chosen = one.elo_se > 0
    assert np.median(spread[chosen] / one.elo_se[chosen]) == pytest.approx(1, abs=0.1)


def test_openings_are_resampled_together():
    """The same opening decides every game: a and b split each pair, so that resampling openings changes nothing."""
    table = match_table(agent_a=["x"], agent_b=["y"], wins_a=[8], draws=[0], wins_b=[8], outcomes=["wl" * 8])
    _, one = rated(table)
    assert np.abs(one.bootstrap(50, np.random.default_rng(0))).max() < 1e-6 < one.elo_se.max()


def test_sizes_are_rated_apart():
    table = match_table(agent_a=["x", "u"], agent_b=["y", "v"], wins_a=[3, 1], draws=[0, 0], wins_b=[1, 3], size=[3, 4])
    found = ratings.rate_table(table)
    assert [one.pool.names for one in found] == [["x", "y"], ["u", "v"]] and [one.anchor for one in found] == ["x", "v"]


# ---- what the matches do not determine -----------------------------------------------------------------------------


def notes(**columns):
    _, one = rated(match_table(**columns), anchor=columns.pop("anchor", None))
    return dict(zip(one.pool.names, one.notes, strict=True))


def test_undetermined_ratings_say_why():
    found = notes(
        agent_a=["top", "a", "a", "b", "far"], agent_b=["a", "b", "low", "low", "away"],
        wins_a=[8, 5, 8, 8, 3], draws=[0] * 5, wins_b=[0, 3, 0, 0, 3],
    )  # fmt: skip
    assert found["a"] == found["b"] == ""
    assert "never beaten" in found["top"] and "never scored" in found["low"]
    assert "no chain" in found["far"] and "no chain" in found["away"]


def test_a_draw_ties_an_unbeaten_agent_to_the_pool():
    assert notes(agent_a=["top"], agent_b=["a"], wins_a=[8], draws=[1], wins_b=[0]) == {"top": "", "a": ""}


# ---- command -------------------------------------------------------------------------------------------------------


def run(*arguments, **environment):
    import subprocess
    import sys

    return subprocess.run([sys.executable, "-m", "experiments.ratings", *arguments], capture_output=True, text=True)


def test_command_writes_ratings(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("agent_a,agent_b,wins_a,draws,wins_b\n1,2,3,0,1\n2,3,2,1,1\n")
    done = run(f"matches={path}", f"out={tmp_path / 'out'}", "anchor=2")
    assert done.returncode == 0, done.stderr
    found = records.read_table(tmp_path / "out" / "ratings.csv", records.RATINGS, ("agent", "elo", "elo_se", "games"))[
        0
    ]
    assert found["agent"].tolist() == ["1", "2", "3"] and found["elo"][1] == 0 and found["games"].tolist() == [4, 8, 4]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["ratings.csv"]


def test_command_errors_are_one_line(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("agent_a,agent_b,wins_a,draws,wins_b\nx,x,3,0,1\n")
    for arguments, word in (
        ([f"matches={path}", f"out={tmp_path}"], "itself"),
        (["matchs=x.csv"], "matchs"),
        (["prior_sd=wide", f"matches={path}", f"out={tmp_path}"], "prior_sd"),
    ):
        done = run(*arguments)
        assert done.returncode == 1 and word in done.stderr and "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
