"""The quick forward passes compute what the module computes, and follow its weights."""

import numpy as np
import pytest
import torch

from agents import dense
from agents.network import NetworkEvaluator, make_network
from games import make

WIDTHS = [1, 2, 5, 13, 16, 17, 32, 64, 100, 256]


def trained(game, width, depth, seed=0):
    """A network none of whose parameters is 0."""
    network = make_network("fc", game, seed=seed, width=width, depth=depth)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return network


def board(game, count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, *game.observation_shape)).astype(np.float32)


def check(network, planes, evaluate):
    logits, value = evaluate(planes)
    with torch.no_grad():
        expected_logits, expected_value = network(torch.from_numpy(planes))
    np.testing.assert_allclose(logits, expected_logits, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(value, expected_value, atol=1e-5)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_they_compute_what_the_module_computes(width, depth):
    for game in (make("tictactoe"), make("hex", size=3), make("hex", size=5, swap=True)):
        network = trained(game, width, depth)
        evaluate = NetworkEvaluator(network)
        for count in (1, 3, 8, 31, 32, 33, 100):
            check(network, board(game, count, seed=count), evaluate)


def test_both_forms_are_used():
    game = make("hex", size=3)
    forms = [type(make_network("fc", game, width=width, depth=1).forward_pass()) for width in (16, 17)]
    assert forms == [dense.Narrow, dense.Wide]


@pytest.mark.parametrize("width", [8, 64])
def test_no_rows_are_no_work(width):
    game = make("hex", size=3)
    logits, value = NetworkEvaluator(trained(game, width, 2))(board(game, 0))
    assert logits.shape == (0, 9)
    assert value.shape == (0,)


@pytest.mark.parametrize("width", [8, 64])
def test_they_follow_the_weights(width):
    """The evaluator is made once and asked between the learner's steps, after loading, and after direct writes."""
    game = make("hex", size=3)
    network, other = trained(game, width, 2), trained(game, width, 2, seed=1)
    evaluate, planes = NetworkEvaluator(network), board(game, 40)
    optimizer = torch.optim.AdamW(network.parameters(), 0.1, fused=True)
    for _ in range(3):
        before = evaluate(planes)[0].copy()
        logits, value = network(torch.from_numpy(planes))
        optimizer.zero_grad()
        (logits.square().sum() + value.sum()).backward()
        optimizer.step()
        assert np.abs(evaluate(planes)[0] - before).max() > 0.01
        check(network, planes, evaluate)
    network.load_state_dict(other.state_dict())
    check(other, planes, evaluate)
    for parameter in network.parameters():
        parameter.data.mul_(0.5)
    check(network, planes, evaluate)
    with torch.no_grad():
        torch._foreach_lerp_(list(network.parameters()), list(other.parameters()), 0.25)
    check(network, planes, evaluate)


def test_weights_are_not_changed():
    game = make("hex", size=3)
    for width in (8, 64):
        network = trained(game, width, 2)
        before = [parameter.detach().clone() for parameter in network.parameters()]
        NetworkEvaluator(network)(board(game, 40))
        assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
