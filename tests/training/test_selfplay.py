"""Self-play: samples in the mover's frame with the right signs, against a slow twin; games out of phase."""

from dataclasses import replace

import numpy as np
import pytest
import runs

from games import make
from mcts import Gumbel, Puct, Regularised, search
from mcts.streams import sample_rows, uniform
from training.loop import train
from training.monitor import Monitor
from training.run import Run
from training.selfplay import SelfPlay
from training.settings import Training

RULE = Puct(noise=0.25)


def settings(**more):
    return Training(**({"games": 24, "budget": 10, "batch": 8, "replay_positions": 100, "reuse": False} | more))


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
    assert len(played.entropy) == 24
    assert 0 < played.entropy.mean() < np.log(9)


# ---- options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.25, 0.6])
def test_playout_cap_learns_from_full_searches_only(hex3, hash_evaluator, share):
    """The moves themselves, by searches beside it: fast ones without noise, full ones with it."""
    evaluate, rule = hash_evaluator(hex3), Puct()
    selfplay = SelfPlay(hex3, settings(full_moves=share, fast_budget=3, opening_moves=0), rule, seed=4)
    flags, full_moves, moves = [[] for _ in range(24)], 0, 60
    for _ in range(moves):
        streams, states = selfplay.streams.copy(), selfplay.states.copy()
        drawn = np.array([uniform(streams, b) for b in range(24)])
        full = drawn <= share
        assert full.any()
        actions = np.empty(24, np.int64)
        for rows, used, budget in ((full, replace(rule, noise=0.25), 10), (~full, rule, 3)):
            own = streams[rows]
            actions[rows] = search(hex3, states[rows], evaluate, budget, used, own).explore(own)
            streams[rows] = own
        played = selfplay.play_move(evaluate)
        ended = [b for b in range(24) if hex3.over(hex3.play(states[b], int(actions[b]))[None])[0]]
        for b in range(24):
            flags[b].append(bool(full[b]))
            if b not in ended:
                np.testing.assert_array_equal(selfplay.states[b], hex3.play(states[b], int(actions[b])))
        np.testing.assert_array_equal(selfplay.streams, streams)
        assert played.lengths.tolist() == [len(flags[b]) for b in ended]
        assert len(played.samples.value) == sum(sum(flags[b]) for b in ended)
        assert played.simulations == 10 * full.sum() + 3 * (~full).sum()
        assert (played.samples.policy.sum(1) > 0.999).all()
        full_moves += full.sum()
        for b in ended:
            flags[b] = []
    count = 24 * moves
    assert abs(full_moves - share * count) < 4 * np.sqrt(count * share * (1 - share))


def test_a_full_search_does_not_depend_on_the_games_beside_it(hex3, hash_evaluator):
    many, few = (SelfPlay(hex3, settings(games=count, full_moves=0.2), Puct(), seed=5) for count in (24, 3))
    evaluate, none = hash_evaluator(hex3), 0
    for _ in range(40):
        many.play_move(evaluate)
        played = few.play_move(evaluate)
        np.testing.assert_array_equal(many.learnt[:3], few.learnt)
        np.testing.assert_array_equal(many.states[:3], few.states)
        none += len(played.entropy) == 0
    assert none > 10


def test_a_run_goes_on_while_no_game_is_searched_in_full(recipe, tmp_path):
    wanted = recipe(games=2, positions=40, full_moves=0.01, fast_budget=2, batch=8)
    run = Run(wanted, tmp_path / "run")
    monitor = Monitor(run, bar=False, log_seconds=0)
    train(run, monitor)
    assert run.finished and len(run.board.replay) < 8


@pytest.mark.parametrize("rule", [Puct(), Puct(c=0.6, c_log=0.45, c_base=9.0)], ids=str)
def test_kept_trees_change_no_game_but_save_evaluations(hex3, hash_evaluator, rule):
    """Without noise PUCT's tree below a move is the one that a fresh search would begin with."""
    fresh, kept = (SelfPlay(hex3, settings(noise=0.0, reuse=reuse), rule, seed=6) for reuse in (False, True))
    evaluate, evaluations = hash_evaluator(hex3), np.zeros(2, np.int64)
    for _ in range(30):
        one, other = fresh.play_move(evaluate), kept.play_move(evaluate)
        for name in one.samples._fields:
            np.testing.assert_array_equal(getattr(one.samples, name), getattr(other.samples, name))
        np.testing.assert_array_equal(fresh.states, kept.states)
        assert one.simulations == 240 >= other.simulations
        evaluations += one.evaluations, other.evaluations
    assert evaluations[1] < 0.9 * evaluations[0]


def test_trees_are_kept_where_nothing_is_said_and_the_rule_can(hex3):
    wanted = {True: [(Puct(), {}), (Regularised(), {})], False: [(Gumbel(), {}), (Puct(), {"full_moves": 0.5})]}
    for kept, cases in wanted.items():
        for rule, more in cases:
            assert (SelfPlay(hex3, settings(reuse=None, **more), rule, seed=0).kept is not None) == kept


def test_kept_trees_fit_the_positions_that_are_searched(hex3, hash_evaluator):
    selfplay = SelfPlay(hex3, settings(reuse=True), Regularised(), seed=1)
    known = 0
    for _ in range(20):
        selfplay.play_move(hash_evaluator(hex3))
        np.testing.assert_array_equal(selfplay.kept.tree.states[0], selfplay.states)
        assert (selfplay.kept.simulations[selfplay.lengths == 0] == 0).all()
        known += (selfplay.kept.simulations > 0).sum()
    assert known > 100


@pytest.mark.parametrize("rule", [Gumbel(), Gumbel(considered=3, rescale=True), Puct(forced_playouts=2.0),
                                  Regularised()], ids=str)  # fmt: skip
def test_targets_are_what_the_search_recommends_in_the_movers_frame(hex3, hash_evaluator, rule):
    evaluate, selfplay = hash_evaluator(hex3), SelfPlay(hex3, settings(budget=30), rule, seed=2)
    unlike_visits = 0
    for _ in range(6):
        states, streams = selfplay.states.copy(), selfplay.streams.copy()
        found = search(hex3, states, evaluate, 30, rule.exploring(0.25, 10.0), streams)
        policy, place = found.policy(), (np.arange(24), selfplay.lengths.copy())
        selfplay.play_move(evaluate)
        expected = [policy[b, hex3.views[hex3.to_move(states)[b]]] for b in range(24)]
        np.testing.assert_array_equal(selfplay.policy[place], expected)
        shares = found.root_visits / found.root_visits.sum(1, keepdims=True)
        unlike_visits += (np.abs(policy - shares).max(1) > 0.01).sum()
        if isinstance(rule, Puct):  # what forcing alone explains is gone, and nothing is added
            assert (policy[found.root_visits == 0] == 0).all()
            assert ((policy == 0) & (found.root_visits > 0)).any()
        if isinstance(rule, Gumbel):  # actions that were not even tried have their share
            untried = hex3.legal(states) & (found.root_visits == 0)
            assert (policy[hex3.legal(states)] > 0).mean() > 0.99 and (rule.considered > 9 or untried.any())
    assert unlike_visits > 70


OPTIONS = {
    "kept trees": (Puct(), {"reuse": True}),
    "kept trees, drawn": (Regularised(solve=True), {"reuse": True}),
    "playout cap": (Puct(forced_playouts=2.0), {"full_moves": 0.4, "fast_budget": 2}),
    "gumbel": (Gumbel(), {}),
}


@pytest.mark.parametrize("rule, options", OPTIONS.values(), ids=OPTIONS)
def test_a_run_killed_and_taken_up_again_and_again_gives_the_same_bytes(recipe, tmp_path, rule, options):
    wanted = replace(recipe(positions=480, **options), rule=rule)

    def run_for(folder, moves):
        run = Run(wanted, tmp_path / folder)
        for _ in range(moves):
            if not run.finished:
                runs.move(run)
        run.save_checkpoint()
        arrays = {part + name: array for part, held in run._parts().items() for name, array in held.items()}
        return run.finished, {name: np.asarray(array).copy() for name, array in arrays.items()}

    _, whole = run_for("whole", 1000)
    rng, done, restarts = np.random.default_rng(0), False, 0
    while not done:
        done, apart = run_for("apart", rng.integers(1, 12))
        restarts += 1
    assert restarts > 4
    files = [{path.name: path.read_bytes() for path in (tmp_path / folder / "snapshots").iterdir()}
             for folder in ("whole", "apart")]  # fmt: skip
    assert files[0] == files[1] and len(files[0]) > 2
    for name in ("streams", "states", "planes", "policy", "learnt"):
        (key,) = (key for key in whole if key.endswith(name) and "tree" not in key and "replay" not in key)
        np.testing.assert_array_equal(whole[key], apart[key])
