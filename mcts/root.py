"""The root before the first step down: noise in its prior, and its evaluation under every symmetry."""

import numpy as np

from games.core import Game, kernel
from mcts.streams import gamma
from mcts.tree import Tree, choose_candidate

_NO_STREAMS = np.zeros(0, np.uint64)


def note_priors(tree: Tree, share: float, concentration: float, streams: np.ndarray | None) -> None:
    """Mix Dirichlet noise into the roots' priors (Silver et al. 2017, Methods, "Play") and keep a copy of them.

    The Dirichlet parameters sum to `concentration`, shared evenly by the legal actions.
    Raises ValueError for noise without streams.
    """
    if share > 0 and streams is None:
        raise ValueError("root noise needs the rows' random streams")
    _note_priors(tree, _NO_STREAMS if streams is None else streams, share, concentration)


@kernel
def _note_priors(tree, streams, share, concentration):
    actions = tree.prior.shape[2]
    noise, prior = np.zeros(actions), np.zeros(actions, np.float32)
    for b in range(len(tree.nodes)):
        nodes, untried = tree.nodes[b], tree.prior[0, b]
        _whole_prior(nodes, untried, prior)
        if share > 0:
            _dirichlet(streams, b, prior, concentration, noise)
            for a in range(actions):
                if prior[a] >= 0:
                    prior[a] = (1.0 - share) * prior[a] + share * noise[a]
            _spread(nodes, untried, prior)
        for a in range(actions):
            tree.root_prior[b, a] = max(prior[a], np.float32(0.0))


@kernel
def _whole_prior(nodes, untried, prior):
    """The prior of tried and untried actions together; -1 where not legal."""
    prior[:] = untried
    child = nodes[0].first_child
    while child >= 0:
        prior[nodes[child].action] = nodes[child].edge_prior
        child = nodes[child].next_sibling


@kernel
def _spread(nodes, untried, prior):
    """Write a changed prior back to the untried actions and the edges of the tried ones."""
    untried[:] = prior
    nodes[0].tried_mass = 0.0
    child = nodes[0].first_child
    while child >= 0:
        action = nodes[child].action
        nodes[child].edge_prior = prior[action]
        nodes[0].tried_mass += prior[action]
        untried[action] = -1.0
        child = nodes[child].next_sibling
    choose_candidate(nodes[0], untried)


@kernel
def _dirichlet(streams, b, prior, concentration, noise):
    """Dirichlet numbers over the legal actions, whose parameters are equal and sum to `concentration`."""
    count = (prior >= 0).sum()
    total = 0.0
    for a in range(len(prior)):
        noise[a] = gamma(streams, b, concentration / count) if prior[a] >= 0 else 0.0
        total += noise[a]
    for a in range(len(prior)):
        noise[a] /= total


def over_symmetries(
    game: Game, evaluate, planes: np.ndarray, logits: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Logits [B, A] and values [B] averaged over the K symmetries of the board: K - 1 evaluations a position.

    `logits` and `values` are the answer for `planes` as they are, which is symmetry 0; they are overwritten.
    """
    actions, cells = game.symmetries
    flat = planes.reshape(*planes.shape[:2], -1)
    for k in range(1, len(actions)):
        turned = np.ascontiguousarray(flat[:, :, cells[k]]).reshape(planes.shape)
        answer, value = evaluate(turned)
        logits[:, actions[k]] += answer
        values += value
    return logits / np.float32(len(actions)), values / np.float32(len(actions))
