"""mctx (Gumbel MuZero and MuZero policies) over pgx's Hex, with our network in jax.numpy: everything in one jit.

pgx's board, turns and goals are ours (the first player connects top and bottom). It always offers the swap, which is
masked out here and left out of the network's outputs. The search is written as in pgx's own AlphaZero example: the
state is the embedding, the discount is -1, and 0 once the game is over. Settings are mctx's own but for the Dirichlet
noise, whose concentration is ours.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import jax
import jax.numpy as jnp
import mctx
import numpy as np
import pgx

from experiments.peers.positions import moves_to
from games import TO_MOVE, make

LOWEST = jnp.finfo(jnp.float32).min
POLICIES = {"gumbel": mctx.gumbel_muzero_policy, "puct": mctx.muzero_policy}


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("jax", "jaxlib", "mctx", "pgx", "numpy")}


def prepare(task: dict) -> Callable[[], object]:
    """One search of the task's positions; the first call compiles."""
    arrays = np.load(task["arrays"])
    weights = {name: jnp.asarray(arrays[f"weights/{name}"]) for name in task["weights"]}
    states = place(arrays["states"], task["size"])
    forward = network(task["size"], task["depth"])
    check(forward, weights, states, arrays)
    run = jax.jit(policy(forward, task["rule"], task["size"], task["budget"]))
    key = jax.random.key(task["seed"])
    return lambda: jax.block_until_ready(run(weights, key, states))


# ---- game ----------------------------------------------------------------------------------------------------------


def environment(size: int) -> pgx.Env:
    """Raises ValueError for another size than pgx's."""
    if size != 11:
        raise ValueError(f"size={size} cannot be: pgx's Hex is 11x11")
    return pgx.make("hex")


def place(states: np.ndarray, size: int) -> pgx.State:
    """Our unfinished positions [B, S] as pgx states."""
    moves = moves_to(make("hex", size=size), states)
    env = environment(size)

    def play(state, move):
        after = env.step(state, jnp.maximum(move, 0))
        return jax.tree.map(lambda new, old: jnp.where(move >= 0, new, old), after, state), None

    keys = jax.random.split(jax.random.key(0), len(states))
    placed = jax.jit(jax.vmap(lambda key, moves: jax.lax.scan(play, env.init(key), moves)[0]))(keys, jnp.asarray(moves))
    if placed.terminated.any() or (placed._x.color != states[:, TO_MOVE]).any():
        raise ValueError("pgx does not follow our positions: its rules of Hex have changed")
    return placed


# ---- network -------------------------------------------------------------------------------------------------------


def network(size: int, depth: int) -> Callable:
    """agents/networks/fc.py: weights, pgx states -> logits [B, A] over cells, value [B]."""
    turned = jnp.arange(size * size).reshape(size, size).T.reshape(-1)

    def forward(weights, states):
        second = (states._x.color == 1)[:, None]  # its board is turned, so that the mover connects top and bottom
        planes = [states.observation[..., k].reshape(len(second), -1) for k in (0, 1)]  # own stones, the opponent's
        planes = [jnp.where(second, plane[:, turned], plane) for plane in planes]
        x = linear(weights, "input", jnp.concatenate(planes, 1).astype(jnp.float32))
        for k in range(depth):
            x = x + weights[f"blocks.{k}.alpha"] * linear(weights, f"blocks.{k}", jax.nn.relu(x))
        outputs = linear(weights, "heads", jax.nn.relu(x))
        logits = jnp.where(second, outputs[:, turned], outputs[:, :-1])
        return logits, jnp.tanh(outputs[:, -1])

    return forward


def linear(weights, name, x):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def check(forward: Callable, weights: dict, states: pgx.State, arrays) -> None:
    """Both programs see the same positions and answer alike."""
    logits, values = jax.jit(forward)(weights, states)
    for name, ours, theirs in (("logits", arrays["logits"], logits), ("values", arrays["values"], values)):
        apart = float(np.abs(ours - np.asarray(theirs)).max())
        if not apart < 1e-3:
            raise ValueError(f"the networks differ: {name} of the same positions are up to {apart} apart")


# ---- search --------------------------------------------------------------------------------------------------------


def policy(forward: Callable, rule: str, size: int, budget: int) -> Callable:
    """weights, key, states -> actions, policy. mctx does not count the root's evaluation as a simulation; we do."""
    env, cells = environment(size), size * size
    more = {"puct": {"dirichlet_alpha": 10 / cells}, "gumbel": {}}[rule]

    def masked(logits, states):
        return jnp.where(states.legal_action_mask[:, :cells], logits - logits.max(1, keepdims=True), LOWEST)

    def step(weights, key, actions, states):
        movers = states.current_player
        states = jax.vmap(env.step)(states, actions)
        logits, values = forward(weights, states)
        over = states.terminated
        output = mctx.RecurrentFnOutput(
            reward=states.rewards[jnp.arange(len(movers)), movers],
            discount=jnp.where(over, 0.0, -1.0),
            prior_logits=masked(logits, states),
            value=jnp.where(over, 0.0, values),
        )
        return output, states

    def run(weights, key, states):
        logits, values = forward(weights, states)
        root = mctx.RootFnOutput(prior_logits=masked(logits, states), value=values, embedding=states)
        invalid = ~states.legal_action_mask[:, :cells]
        out = POLICIES[rule](weights, key, root, step, budget - 1, invalid, **more)
        return out.action, out.action_weights

    return run
