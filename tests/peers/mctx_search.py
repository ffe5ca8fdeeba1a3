"""mctx over our own game kernels and a numpy evaluator, so that both programs see the same numbers to the last bit.

mctx asks for positions from inside its compiled loop; a callback answers. The root's evaluation counts as a simulation
here and not there. A finished game has discount 0, so that whatever mctx adds below it changes nothing above.
"""

import functools

import jax
import jax.numpy as jnp
import mctx
import numpy as np

LOWEST = np.finfo(np.float32).min


class HashEvaluator:
    """Logits in [-spread, spread] and values in [-1, 1] made up from a hash of each row's planes alone."""

    def __init__(self, actions, seed, spread=2.0):
        self.actions, self.seed, self.spread = actions, seed, spread

    def __call__(self, planes):
        rows = planes.reshape(len(planes), -1).astype(np.int64)
        weights = np.random.default_rng(self.seed).integers(1, 10**9, (rows.shape[1] + 1, self.actions + 1))
        mixed = (rows @ weights[:-1] + weights[-1]) % 999_983
        answers = (mixed / 999_982 * 2 - 1).astype(np.float32)
        return np.float32(self.spread) * answers[:, :-1], answers[:, -1].copy()


def answers(game, evaluate, states):
    """Masked logits by our numbering of actions [B, A] and values [B]; all logits are 0 where the game is over."""
    seen, values = evaluate(game.observe(states))
    logits = np.empty_like(seen)
    for b, mover in enumerate(game.to_move(states)):
        logits[b, game.views[mover]] = seen[b]
    logits -= logits.max(1, keepdims=True)
    over = game.over(states)
    logits = np.where(over[:, None], 0, np.where(game.legal(states), logits, LOWEST))
    return logits.astype(np.float32), np.where(over, 0, values).astype(np.float32)


def play(game, evaluate, states, actions):
    """One step of mctx: following states, logits, values, rewards and discounts; finished games stay as they are."""
    after, actions, running = np.array(states), np.asarray(actions).astype(np.int64), ~game.over(np.asarray(states))
    movers = game.to_move(after).copy()
    moved = after[running]
    game.advance(moved, actions[running])
    after[running] = moved
    logits, values = answers(game, evaluate, after)
    ended = running & game.over(after)
    rewards = np.where(ended, np.where(movers == 0, game.result(after), -game.result(after)), 0).astype(np.float32)
    turned = np.where(game.to_move(after) == movers, 1, -1)
    discounts = np.where(game.over(after), 0, turned).astype(np.float32)
    return after, logits, values, rewards, discounts


@functools.cache
def compiled(policy, game, evaluate, budget, batch):
    """states, gumbel key, legal -> mctx's output; `policy` is one of mctx's with its settings bound."""
    numbers = jax.ShapeDtypeStruct((batch,), jnp.float32)
    shapes = (
        jax.ShapeDtypeStruct((batch, game.state_words), game.state_dtype),
        jax.ShapeDtypeStruct((batch, game.num_actions), jnp.float32), numbers, numbers, numbers,
    )  # fmt: skip

    def step(_, key, actions, states):
        after = jax.pure_callback(functools.partial(play, game, evaluate), shapes, states, actions)
        states, logits, values, rewards, discounts = after
        return mctx.RecurrentFnOutput(reward=rewards, discount=discounts, prior_logits=logits, value=values), states

    def run(states, logits, values, legal, key):
        root = mctx.RootFnOutput(prior_logits=logits, value=values, embedding=states)
        return policy((), key, root, step, budget - 1, ~legal)

    return jax.jit(run)


def search(policy, game, states, evaluate, budget, seed=0):
    """mctx's PolicyOutput for positions [B, S] with `budget` simulations, the root's evaluation the first."""
    logits, values = answers(game, evaluate, states)
    run = compiled(policy, game, evaluate, budget, len(states))
    return run(states, logits, values, game.legal(states), jax.random.key(seed))


def random_positions(game, count, seed):
    """`count` unfinished positions after random play of random length, [count, S]."""
    rng = np.random.default_rng(seed)
    found = []
    while len(found) < count:
        state = game.reset(1)
        for _ in range(rng.integers(game.max_length)):
            following = state.copy()
            game.advance(following, rng.choice(np.flatnonzero(game.legal(state)[0]), 1))
            if game.over(following)[0]:
                break
            state = following
        found.append(state[0])
    return np.array(found)
