"""The learner: the loss as written, going down on a fixed replay, batches that depend on seed and step alone."""

import numpy as np
import pytest
import torch

from agents.network import make_network
from games import make
from games.core import ActionLayout
from training.learner import Learner, learning_rate
from training.replay import Replay
from training.selfplay import Samples
from training.settings import SettingsError, Training


def settings(**more):
    return Training(**({"batch": 32, "replay_positions": 200, "steps_per_move": 1, "learning_rate": 0.01} | more))


@pytest.fixture
def replay(hex3):
    rng = np.random.default_rng(0)
    replay = Replay(hex3, 64)
    replay.add(Samples(rng.integers(0, 2, (64, 2, 3, 3)).astype(np.float16),
                       rng.dirichlet(np.full(9, 0.3), 64).astype(np.float32),
                       rng.choice([-1, 1], 64).astype(np.float32)))  # fmt: skip
    return replay


def network(game, seed=0):
    return make_network("fc", game, seed=seed, width=32, depth=1)


def test_the_loss_is_the_formula_of_the_docstring(hex3, replay):
    net = network(hex3)
    drawn = replay.draw(32, np.random.default_rng([7, 2, 0]))
    with torch.inference_mode():
        logits, value = (part.numpy().astype(float) for part in net(torch.from_numpy(drawn.planes.astype(np.float32))))
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    losses = Learner(net, settings(), seed=7).learn(replay)
    assert losses.policy == pytest.approx(-(drawn.policy * log_p).sum(1).mean(), rel=1e-5)
    assert losses.value == pytest.approx(((value - drawn.value) ** 2).mean(), rel=1e-5)
    assert losses.entropy == pytest.approx(-(np.exp(log_p) * log_p).sum(1).mean(), rel=1e-5)


def test_the_loss_goes_down_on_a_fixed_replay(hex3, replay):
    learner = Learner(network(hex3), settings(batch=64), seed=0)
    losses = [learner.learn(replay) for _ in range(300)]
    entropy = -(replay.policy * np.log(np.maximum(replay.policy, 1e-9))).sum(1).mean()
    first, last = (np.mean(part, axis=0) for part in (losses[:5], losses[-5:]))
    assert last[0] - entropy < 0.5 * (first[0] - entropy)
    assert last[1] < 0.5 * first[1]
    assert learner.steps == [300]


def test_nothing_is_learnt_before_a_batch_is_there(hex3):
    net = network(hex3)
    before = [parameter.clone() for parameter in net.parameters()]
    learner = Learner(net, settings(), seed=0)
    assert learner.learn(Replay(hex3, 64)) is None
    assert learner.steps == [0]
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_batches_depend_on_seed_and_step_alone(hex3, replay):
    def weights(seed, moves):
        learner = Learner(network(hex3), settings(steps_per_move=2), seed)
        for _ in range(moves):
            learner.learn(replay)
        return torch.cat([parameter.detach().flatten() for parameter in learner.network.parameters()])

    assert torch.equal(weights(1, 5), weights(1, 5))
    assert not torch.equal(weights(1, 5), weights(2, 5))


def test_each_step_draws_a_batch_of_its_own(hex3, replay, monkeypatch):
    drawn = []
    draw = replay.draw
    monkeypatch.setattr(replay, "draw", lambda count, rng: drawn.append(draw(count, rng)) or drawn[-1])
    learner = Learner(network(hex3), settings(steps_per_move=3), seed=0)
    for _ in range(2):
        learner.learn(replay)
    assert len(drawn) == 6
    assert len({batch.policy.tobytes() for batch in drawn}) == 6


def test_weight_decay_shrinks_what_no_gradient_moves(hex3, replay):
    """A block's weights get no gradient while its alpha is 0, and alpha's own gradient is what opens it."""
    learner = Learner(network(hex3), settings(weight_decay=0.5, learning_rate=0.01), seed=0)
    weight = learner.network.blocks[0].weight
    before = weight.detach().clone()
    learner.learn(replay)
    torch.testing.assert_close(weight.detach(), before * (1 - 0.01 * 0.5))


def test_a_diverged_training_ends_with_an_error(hex3, replay):
    learner = Learner(network(hex3), settings(learning_rate=1e38), seed=0)
    with pytest.raises(SettingsError, match=r"training diverged.*lower training.learning_rate=1e\+38"):
        for _ in range(50):
            learner.learn(replay)


def test_the_learning_rate_falls_to_a_tenth_over_the_cooldown():
    """By hand: 1 until share 0.75, half-way through the cooldown 0.1 + 0.9 / 2, at the end 0.1."""
    wanted = {0.0: 1.0, 0.75: 1.0, 0.875: 0.55, 1.0: 0.1, 1.2: 0.1}
    for share, factor in wanted.items():
        assert learning_rate(settings(learning_rate=0.01, cooldown=0.25), share) == pytest.approx(0.01 * factor)
        assert learning_rate(settings(learning_rate=0.01, cooldown=0.0), share) == 0.01


def test_samples_of_another_size_are_learnt_through_the_network_of_that_size():
    """Here actions are numbered from the last cell, so that each size puts the logits in an order of its own."""
    small, large = make("hex", size=3), make("hex", size=4)
    for game in (small, large):
        game.layout = ActionLayout(1, 0, 0, np.arange(game.num_actions)[::-1].copy())
    net = make_network("conv", small, width=4, depth=1)
    rng, replay = np.random.default_rng(0), Replay(large, 64)
    replay.add(Samples(rng.integers(0, 2, (64, *large.observation_shape)).astype(np.float16),
                       rng.dirichlet(np.full(large.num_actions, 0.3), 64).astype(np.float32),
                       np.zeros(64, np.float32)))  # fmt: skip
    drawn = replay.draw(32, np.random.default_rng([7, 2, 0]))
    with torch.inference_mode():
        logits, _ = net.on(large)(torch.from_numpy(drawn.planes.astype(np.float32)))
    expected = -(drawn.policy * torch.log_softmax(logits, 1).numpy()).sum(1).mean()
    before = [parameter.clone() for parameter in net.parameters()]
    losses = Learner(net, settings(), seed=7).learn(replay, network=net.on(large))
    assert losses.policy == pytest.approx(expected, rel=1e-5)
    assert not all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
