"""Self-play: samples in the mover's frame with the right signs, against a slow twin; games out of phase."""

import numpy as np
import pytest

from games import make
from mcts import Puct, search
from mcts.streams import sample_rows
from training.selfplay import SelfPlay
from training.settings import Training

RULE = Puct(noise=0.25)


def settings(**more):
    return Training(**({"games": 24, "budget": 10, "batch": 8, "replay_positions": 100} | more))


class Twin:
    """Keeps what each game showed in lists of positions and makes the samples from the words of the docstrings."""

    def __init__(self, selfplay):
        self.selfplay, self.game = selfplay, selfplay.game
        self.games = [[] for _ in selfplay.states]

    def expected(self, evaluate):
        """The samples and lengths that the next move of `selfplay` should hand over."""
        states, streams = self.selfplay.states.copy(), self.selfplay.streams.copy()
        tree = search(self.game, states, evaluate, self.selfplay.settings.budget, RULE, streams)
        visits = tree.root_visits
        policy = (visits / visits.sum(1, keepdims=True)).astype(np.float32)
        actions = sample_rows(streams, policy)
        samples, lengths = [], []
        for b, state in enumerate(states):
            self.games[b].append((state, policy[b]))
            end = self.game.play(state, int(actions[b]))
            if self.game.over(end[None])[0]:
                samples += [self._sample(*seen, int(self.game.result(end[None])[0])) for seen in self.games[b]]
                lengths.append(len(self.games[b]))
                self.games[b] = []
        return samples, lengths

    def _sample(self, state, policy, result):
        mover = self.game.to_move(state[None])[0]
        seen = [policy[self.game.views[mover, j]] for j in range(self.game.num_actions)]
        return self.game.observe(state[None])[0], seen, result if mover == 0 else -result


@pytest.mark.parametrize(
    "name, size", [("tictactoe", {}), ("hex", {"size": 3}), ("hex", {"size": 4}), ("hex", {"size": 3, "swap": True})]
)
def test_samples_are_those_of_a_slow_twin(name, size, hash_evaluator):
    game = make(name, **size)
    evaluate = hash_evaluator(game)
    selfplay = SelfPlay(game, settings(), RULE, seed=3)
    twin, both_movers = Twin(selfplay), set()
    for _ in range(40):
        samples, lengths = twin.expected(evaluate)
        played = selfplay.play_move(evaluate)
        assert played.lengths.tolist() == lengths
        assert len(played.samples.value) == len(samples)
        for i, (planes, policy, value) in enumerate(samples):
            np.testing.assert_array_equal(played.samples.planes[i], planes)
            np.testing.assert_array_equal(played.samples.policy[i], np.array(policy, np.float32))
            assert played.samples.value[i] == pytest.approx(value, abs=1e-6)
            both_movers.add(float(np.sign(value)))
    assert {1.0, -1.0} <= both_movers


def forced(game, state, action):
    """Self-play that stands at `state` in every game, and an evaluator that wants `action`."""
    selfplay = SelfPlay(game, settings(games=4, budget=2), Puct(), seed=0)
    selfplay.states[:] = state
    selfplay.lengths[:] = 0
    seen = np.flatnonzero(game.views[game.to_move(state[None])[0]] == action)[0]

    def evaluate(planes):
        logits = np.zeros((len(planes), game.num_actions), np.float32)
        logits[:, seen] = 30
        return logits, np.zeros(len(planes), np.float32)

    return selfplay, evaluate


def test_the_winner_gets_plus_one_and_the_loser_minus_one():
    game = make("tictactoe")
    for board, move, winner in (("x x . o o . . . .", 2, 0), ("x x . o o . x . .", 5, 1)):
        selfplay, evaluate = forced(game, game.parse(board), move)
        played = selfplay.play_move(evaluate)
        assert played.samples.value.tolist() == [1] * 4, "the mover won"
        # The same end, seen from two moves: the position before the last move of the loser comes first.
        selfplay, evaluate = forced(game, game.parse(board), move)
        selfplay.mover[:, 0], selfplay.learnt[:, 0] = 1 - winner, True
        selfplay.lengths[:] = 1
        played = selfplay.play_move(evaluate)
        assert played.samples.value.tolist() == [-1, 1] * 4


def test_a_draw_is_worth_nothing_to_both():
    game = make("tictactoe")
    selfplay, evaluate = forced(game, game.parse("x o x x o o o x ."), 8)
    assert selfplay.play_move(evaluate).samples.value.tolist() == [0] * 4


def test_player_one_of_hex_sees_the_board_transposed_and_so_does_its_policy_target():
    game = make("hex", size=3)
    state = game.play(game.reset(1)[0], 1)  # x on b1; o to move plays c1 (2), which the mover sees at a3 (6)
    selfplay, evaluate = forced(game, state, 2)
    selfplay.play_move(evaluate)
    assert selfplay.policy[0, 0].tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert selfplay.planes[0, 0, 1].reshape(9).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0]  # b1 seen at a2
    assert (game.legal(selfplay.states)[:, 2] == 0).all()  # c1 itself was played


def test_games_begin_out_of_phase_and_end_evenly(hash_evaluator):
    game = make("hex", size=4)
    selfplay = SelfPlay(game, settings(games=256, budget=2), RULE, seed=0)
    assert not game.over(selfplay.states).any()
    stones = (selfplay.states[:, 3:] != 0).sum(1)
    assert len(np.unique(stones)) >= 8 and np.bincount(stones).max() < 256 / 3
    evaluate = hash_evaluator(game)
    ended = np.array([len(selfplay.play_move(evaluate).lengths) for _ in range(40)])
    assert ended.min() > 0 and ended.max() < 3 * ended.mean()


def test_the_first_games_are_recorded_from_where_they_were_searched(hash_evaluator):
    game = make("hex", size=3)
    selfplay = SelfPlay(game, settings(), RULE, seed=1)
    started = (selfplay.states[:, 3:] != 0).sum(1)
    played = selfplay.play_move(hash_evaluator(game))
    while not len(played.lengths):
        played = selfplay.play_move(hash_evaluator(game))
    assert started.max() > 0
    assert played.lengths.sum() == len(played.samples.value)
    assert (played.samples.policy.sum(1) > 0.999).all()  # nothing that was not searched


def test_a_games_moves_do_not_depend_on_the_games_beside_it(hash_evaluator):
    game = make("hex", size=3)
    evaluate = hash_evaluator(game)
    many, few = (SelfPlay(game, settings(games=count), RULE, seed=5) for count in (24, 7))
    for _ in range(25):
        many.play_move(evaluate), few.play_move(evaluate)
        np.testing.assert_array_equal(many.states[:7], few.states)
        np.testing.assert_array_equal(many.streams[:7], few.streams)


def test_counts_and_entropy_of_a_move(hash_evaluator):
    game = make("hex", size=3)
    selfplay = SelfPlay(game, settings(), RULE, seed=2)
    batches = []
    evaluate = hash_evaluator(game)

    def counted(planes):
        batches.append(len(planes))
        return evaluate(planes)

    played = selfplay.play_move(counted)
    assert played.evaluations == sum(batches)
    assert played.simulations == 24 * 10
    assert 0 < played.entropy < np.log(9)
