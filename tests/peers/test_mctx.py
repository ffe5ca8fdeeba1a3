"""Our search agrees with mctx, over the same game kernels and evaluator: `make test-peers`.

Hundreds of random positions; PEERS_POSITIONS=2000 in the environment takes more of each game.

Two programs round differently, so where two actions score the same to six digits they may part ways. A row counts as
decided if our own search finds the same visits with c (c_scale) a millionth larger and smaller; decided rows must agree
exactly, and nearly all rows are decided.
"""

import dataclasses
import functools
import os

import numpy as np
import pytest

mctx = pytest.importorskip("mctx", reason="mctx is not installed here: `make test-peers` runs these tests")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import mctx_search  # noqa: E402

from games import make  # noqa: E402
from mcts import Gumbel, Puct, search  # noqa: E402

POSITIONS = int(os.environ.get("PEERS_POSITIONS", "100"))
GAMES = [("tictactoe", {}), ("hex", {"size": 3, "swap": True}), ("hex", {"size": 5}), ("hex", {"size": 11})]


def case(name, settings, seed):
    game = make(name, **settings)
    return game, mctx_search.random_positions(game, POSITIONS, seed), mctx_search.HashEvaluator(game.num_actions, seed)


def agree(game, theirs, ours, nudged):
    """Compare mctx's visits with those of our search; returns the rows that our `nudged` searches find decided."""
    visits = np.asarray(theirs.search_tree.summary().visit_counts)
    decided = np.all([(other.root_visits == ours.root_visits).all(1) for other in nudged], axis=0)
    same = (visits == ours.root_visits).all(1)
    print(f"{game.title}: {decided.sum()} of {len(visits)} positions decided, {same.sum()} with the same visits")
    assert decided.mean() > 0.95
    np.testing.assert_array_equal(visits[decided], ours.root_visits[decided])
    return decided


def nudge(rule, field):
    """The rule with one setting a millionth larger and smaller."""
    return [dataclasses.replace(rule, **{field: getattr(rule, field) * factor}) for factor in (1 + 1e-6, 1 - 1e-6)]


# ---- PUCT ----------------------------------------------------------------------------------------------------------


def puct(rule):
    """mctx's PUCT with our constant (its second term grows by less than a rounding) and our first-play urgency."""

    def values(tree, index):
        logits, visits = tree.children_prior_logits[index], tree.children_visits[index]
        prior = jnp.exp(logits - logits.max())
        tried = jnp.where(visits > 0, prior, 0).sum() / prior.sum()
        untried = tree.node_values[index] - rule.fpu_reduction * jnp.sqrt(tried)
        known = jnp.where(visits > 0, tree.qvalues(index), untried)
        return jnp.where(logits == mctx_search.LOWEST, -jnp.inf, known)

    return functools.partial(
        mctx.muzero_policy, dirichlet_fraction=0.0, pb_c_init=rule.c, pb_c_base=1e12, qtransform=values
    )


@pytest.mark.parametrize("name, settings", GAMES, ids=str)
@pytest.mark.parametrize("rule, budget", [(Puct(), 64), (Puct(c=0.7, fpu_reduction=0.0), 33)], ids=["64", "33"])
def test_puct_visits_what_mctx_visits(name, settings, rule, budget):
    game, states, evaluate = case(name, settings, seed=budget)
    theirs = mctx_search.search(puct(rule), game, states, evaluate, budget)
    nudged = [search(game, states, evaluate, budget, other) for other in nudge(rule, "c")]
    agree(game, theirs, search(game, states, evaluate, budget, rule), nudged)


# ---- Gumbel --------------------------------------------------------------------------------------------------------


def gumbel(rule):
    """mctx's Gumbel with our sigma, which takes Q from [-1, 1] to [0, 1] unless it rescales."""
    values = functools.partial(
        mctx.qtransform_completed_by_mix_value,
        value_scale=rule.c_scale if rule.rescale else rule.c_scale / 2,
        maxvisit_init=rule.c_visit,
        rescale_values=rule.rescale,
    )
    return functools.partial(
        mctx.gumbel_muzero_policy, qtransform=values, max_num_considered_actions=rule.considered, gumbel_scale=1.0
    )


def with_noise(rule, noise):
    """Our rule with the root's Gumbel numbers [B, A] given."""

    class Given(Gumbel):
        def begin(self, tree, budgets, streams):
            numbers = super().begin(tree, budgets, streams)
            return numbers._replace(score=numbers.score + noise)

    return Given(**dataclasses.asdict(rule))


MANY_ACTIONS = GAMES[2:]
CASES = [
    *((game, Gumbel(), 64) for game in GAMES),
    *((game, Gumbel(c_scale=0.1, considered=8), 33) for game in GAMES),
    *((game, Gumbel(c_scale=0.3, considered=1), 20) for game in GAMES),
    *((game, Gumbel(c_scale=0.1, rescale=True), 64) for game in MANY_ACTIONS),
]


@pytest.mark.parametrize("game, rule, budget", CASES, ids=lambda value: getattr(value, "c_scale", value))
def test_gumbel_is_that_of_mctx(game, rule, budget):
    """The same noise in; the same visits, the same move and the same improved policy out.

    Rescaled, the two differ by intention where every legal action was tried: mctx then counts v_mix, which it gives to
    illegal actions too, among the Q between which it rescales. So that case takes boards with many actions.
    """
    (name, settings), seed = game, 5
    game, states, evaluate = case(name, settings, seed=budget)
    noise = np.asarray(jax.random.gumbel(jax.random.split(jax.random.key(seed))[1], (len(states), game.num_actions)))
    theirs = mctx_search.search(gumbel(rule), game, states, evaluate, budget, seed)
    ours = search(game, states, evaluate, budget, with_noise(rule, noise))
    nudged = [search(game, states, evaluate, budget, with_noise(other, noise)) for other in nudge(rule, "c_scale")]
    decided = agree(game, theirs, ours, nudged)
    np.testing.assert_allclose(ours.policy()[decided], np.asarray(theirs.action_weights)[decided], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(ours.choose()[decided], np.asarray(theirs.action)[decided])
