"""The replay ring keeps the newest samples, and symmetries turn planes and policy together."""

import numpy as np
import pytest

from games import make
from training.replay import Replay
from training.selfplay import Samples


def numbered(game, numbers):
    """Samples that can be told apart: the value is the number."""
    count = len(numbers)
    planes = np.zeros((count, *game.observation_shape), np.float16)
    return Samples(planes, np.zeros((count, game.num_actions), np.float32), np.array(numbers, np.float32))


def test_the_ring_keeps_the_newest(hex3):
    replay = Replay(hex3, 10)
    fed = 0
    for count in (0, 3, 4, 4, 10, 1, 0, 7, 9):
        replay.add(numbered(hex3, range(fed, fed + count)))
        fed += count
        assert len(replay) == min(fed, 10)
        held = set(replay.value[: len(replay)].tolist())
        assert held == set(range(max(0, fed - 10), fed))


def test_more_than_the_ring_holds_leaves_the_last_of_them(hex3):
    replay = Replay(hex3, 10)
    replay.add(numbered(hex3, range(4)))
    replay.add(numbered(hex3, range(4, 37)))
    assert set(replay.value.tolist()) == set(range(27, 37)) and len(replay) == 10
    replay.add(numbered(hex3, [37]))
    assert set(replay.value.tolist()) == set(range(28, 38))


def test_draws_come_from_what_is_held_and_depend_on_the_generator_alone(hex3):
    replay = Replay(hex3, 50)
    replay.add(numbered(hex3, range(1, 21)))
    drawn = replay.draw(2000, np.random.default_rng(0)).value
    assert set(drawn.tolist()) == set(range(1, 21))
    assert np.bincount(drawn.astype(int))[1:].min() > 50
    np.testing.assert_array_equal(replay.draw(2000, np.random.default_rng(0)).value, drawn)


@pytest.mark.parametrize("name, size", [("tictactoe", {}), ("hex", {"size": 3}), ("hex", {"size": 4, "swap": True})])
def test_planes_and_policy_are_turned_alike(name, size):
    game = make(name, **size)
    rng = np.random.default_rng(1)
    planes = rng.integers(0, 2, (1, *game.observation_shape)).astype(np.float16)
    policy = rng.random((1, game.num_actions)).astype(np.float32)
    replay = Replay(game, 5)
    replay.add(Samples(planes, policy, np.array([0.5], np.float32)))
    drawn = replay.draw(400, rng)
    seen = set()
    flat = planes[0].reshape(len(planes[0]), -1)
    for some_planes, some_policy in zip(drawn.planes.reshape(400, *flat.shape), drawn.policy, strict=True):
        matches = [
            k
            for k, (actions, cells) in enumerate(zip(*game.symmetries, strict=True))
            if (some_policy == policy[0][actions]).all() and (some_planes == flat[:, cells]).all()
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert seen == set(range(len(game.symmetries.actions)))
    assert (drawn.value == 0.5).all()


def transformed_move(game, state, action, k):
    """The action that stands for `action` once the board is turned by symmetry k."""
    view = game.views[game.to_move(state[None])[0]]
    seen = int(np.flatnonzero(view == action)[0])
    return int(view[np.flatnonzero(game.symmetries.actions[k] == seen)[0]])


@pytest.mark.parametrize("name, size", [("tictactoe", {}), ("hex", {"size": 4}), ("hex", {"size": 3, "swap": True})])
def test_a_turned_sample_is_the_sample_of_the_game_played_turned(name, size):
    """Play random games beside their turned twins: a sample drawn under symmetry k is what the twin recorded."""
    game = make(name, **size)
    rng = np.random.default_rng(3)
    for k in range(len(game.symmetries.actions)):
        for _ in range(5):
            state, turned = game.reset(1)[0], game.reset(1)[0]
            while not game.over(state[None])[0]:
                move = int(rng.choice(np.flatnonzero(game.legal(state[None])[0])))
                moved = transformed_move(game, state, move, k)
                target, turned_target = (_one_hot(game, s, a) for s, a in ((state, move), (turned, moved)))
                replay = Replay(game, 1)
                replay.add(Samples(game.observe(state[None]).astype(np.float16), target[None], np.ones(1, np.float32)))
                drawn = replay.draw(1, _Turn(k))
                np.testing.assert_array_equal(drawn.planes[0], game.observe(turned[None])[0])
                np.testing.assert_array_equal(drawn.policy[0], turned_target)
                state, turned = game.play(state, move), game.play(turned, moved)


def _one_hot(game, state, action):
    return (game.views[game.to_move(state[None])[0]] == action).astype(np.float32)


class _Turn:
    """A generator that draws the first sample under symmetry k."""

    def __init__(self, k):
        self.answers = [np.array([0]), np.array([k])]

    def integers(self, high, size):
        return self.answers.pop(0)
