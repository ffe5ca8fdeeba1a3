"""Our agents among OpenSpiel's bots, and OpenSpiel's players among our agents."""

import subprocess
import sys

import numpy as np
import pyspiel
import pytest
from open_spiel.python.algorithms import evaluate_bots, minimax

from agents.agent import Agent, AgentError, Decision, Strategy, make_strategy
from agents.network import NetworkEvaluator, make_network
from agents.openspiel import Counterpart
from agents.openspiel_bot import OpenSpielBot
from agents.openspiel_guest import Guest, RandomGames, mcts
from experiments.play import Player, Protocol, play_pairs
from games import make
from mcts.streams import seed_streams

HEX = "hex(board_size=3,swap=False)"


def network_agent(game, budget=8):
    return Agent(make_strategy("puct", game, NetworkEvaluator(make_network("fc", game, width=4, depth=1))), budget)


# ---- ours in OpenSpiel ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("game, agent", [
    (make("hex", size=3), network_agent), (make("hex", size=3, swap=True), network_agent),
    (make("tictactoe"), network_agent), (make("openspiel", id="clobber(rows=3,columns=3)"), network_agent),
    (make("openspiel", id="y(board_size=3)"), network_agent), (make("breakthrough", rows=5, columns=4), network_agent),
], ids=lambda value: getattr(value, "title", ""))  # fmt: skip
def test_an_agent_plays_legal_games_in_either_seat(game, agent):
    reference = pyspiel.load_game(game.openspiel_id)
    ours = OpenSpielBot(agent(game), game)
    for seat in (0, 1):
        bots = [pyspiel.make_uniform_random_bot(player, 7) for player in (0, 1)]
        bots[seat] = ours
        returns = evaluate_bots.evaluate_bots(reference.new_initial_state(), bots, np.random)
        assert sorted(returns) in ([-1, 1], [0, 0])
        assert sorted(pyspiel.evaluate_bots(reference.new_initial_state(), bots, 3)) in ([-1, 1], [0, 0])


def test_the_bot_plays_what_the_agent_plays():
    game, reference = make("hex", size=4), pyspiel.load_game("hex(board_size=4)")
    agent, rng = network_agent(game, 32), np.random.default_rng(0)
    for _ in range(10):
        position, state = reference.new_initial_state(), game.reset(1)[0]
        for _ in range(rng.integers(6)):
            action = int(rng.choice(position.legal_actions()))
            position.apply_action(action)
            state = game.play(state, action)
        expected = agent.act(state[None], seed_streams(0))
        policy, action = OpenSpielBot(agent, game).step_with_policy(position)
        assert action == expected.actions[0]
        assert [number for number, _ in policy] == position.legal_actions()
        np.testing.assert_allclose([share for _, share in policy], expected.policy[0, position.legal_actions()])
        assert sum(share for _, share in policy) == pytest.approx(1)


def test_perfect_play_wins_hex_as_first_player_in_openspiel():
    game, reference = make("hex", size=3), pyspiel.load_game(HEX)
    bot = OpenSpielBot(Agent(make_strategy("perfect", game)), game)
    for seed in range(5):
        others = pyspiel.make_uniform_random_bot(1, seed)
        assert pyspiel.evaluate_bots(reference.new_initial_state(), [bot, others], seed) == [1, -1]


def test_numbers_of_actions_are_translated():
    """A game whose actions OpenSpiel counts backwards: the moves there and here are the same cells."""

    class Backwards(type(make("tictactoe"))):
        @property
        def openspiel_actions(self):
            return np.arange(9)[::-1]

    class LowestFree(Strategy):
        def __init__(self, game):
            self.game = game

        def decide(self, states, budgets, streams):
            legal = self.game.legal(states).astype(np.float32)
            return Decision(legal.argmax(1), legal / legal.sum(1, keepdims=True), legal[:, 0], legal[:, 0].astype(int))

    game = Backwards()
    bot = OpenSpielBot(Agent(LowestFree(game)), game)
    position = pyspiel.load_game("tic_tac_toe").new_initial_state()
    assert bot.step(position) == 8
    position.apply_action(8)
    policy, action = bot.step_with_policy(position)
    assert action == 7 and [number for number, _ in policy] == list(range(8))
    np.testing.assert_array_equal(Counterpart(game).state(position), game.play(game.reset(1)[0], 0))
    assert str(Counterpart(game).position(np.array([0, 3]))) == "...\n..o\n..x"


@pytest.mark.parametrize("rows, columns", [(3, 4), (5, 3), (6, 5)])
def test_one_of_several_numbers_is_legal_in_a_position(rows, columns):
    """Breakthrough, where OpenSpiel numbers captures and players too, to the end of random games."""
    game, rng, taken = make("breakthrough", rows=rows, columns=columns), np.random.default_rng(0), 0
    counterpart = Counterpart(game)
    for _ in range(20):
        state, history = game.reset(1)[0], []
        while not game.over(state[None])[0]:
            position, legal = counterpart.position(np.array(history, np.int64)), np.flatnonzero(game.legal(state[None]))
            numbers = [counterpart.number(position, int(action)) for action in legal]
            assert sorted(numbers) == position.legal_actions()
            np.testing.assert_array_equal(counterpart.state(position), state)
            history.append(int(rng.choice(legal)))
            taken += counterpart.number(position, history[-1]) % 2
            state = game.play(state, history[-1])
        assert counterpart.position(np.array(history)).returns()[0] == game.result(state[None])[0]
    assert taken > 20


def test_a_drawing_agent_differs_between_games_and_repeats_with_its_seed():
    game, reference = make("hex", size=3), pyspiel.load_game(HEX)

    def played(seed):
        bot, games = OpenSpielBot(Agent(make_strategy("random", game)), game, seed), []
        for _ in range(3):
            bot.restart()
            position = reference.new_initial_state()
            while not position.is_terminal():
                count = len(position.legal_actions())
                assert [share for _, share in bot.get_policy(position)] == pytest.approx([1 / count] * count)
                position.apply_action(bot.step(position))
            games.append(tuple(position.history()))
        return games

    assert played(1) == played(1) != played(2)
    assert len(set(played(1))) == 3


def test_the_bot_takes_its_own_game_only():
    game = make("hex", size=3)
    bot = OpenSpielBot(Agent(make_strategy("random", game)), game)
    for name in (HEX, "hex(board_size=3)", "hex(board_size=3,plain_obs_tensor=True)"):
        assert bot.step(pyspiel.load_game(name).new_initial_state()) in range(9)
    for name in ("hex(board_size=4)", "hex(board_size=3,swap=True)", "tic_tac_toe"):
        with pytest.raises(AgentError, match="expected a position of that game"):
            bot.step(pyspiel.load_game(name).new_initial_state())
    position = pyspiel.load_game("hex(board_size=2)").new_initial_state()
    for action in (0, 1, 2):
        position.apply_action(action)
    small = make("hex", size=2)
    with pytest.raises(AgentError, match="over"):
        OpenSpielBot(Agent(make_strategy("random", small)), small).step(position)


# ---- OpenSpiel's among ours ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, settings", [
    ("openspiel_mcts", {"simulations": 60}), ("openspiel_alphabeta", {"depth": 2}),
    ("openspiel_alphabeta", {"depth": 1, "rollouts": 3}),
])  # fmt: skip
@pytest.mark.parametrize("game", [make("hex", size=3, swap=True), make("tictactoe"),
                                  make("openspiel", id="y(board_size=3)"), make("othello", size=4)],
                         ids=lambda game: game.title)  # fmt: skip
def test_decisions_are_legal_repeatable_and_of_the_row_alone(game, name, settings):
    strategy = make_strategy(name, game, **settings)
    states, histories = game.reset(6), np.zeros((6, 2), np.int64)
    for b in range(6):
        for t in range(2):
            legal = np.flatnonzero(game.legal(states[b : b + 1])[0])
            histories[b, t] = legal[(b - t) % len(legal)]
            states[b] = game.play(states[b], histories[b, t])
    streams = seed_streams(5, np.arange(6))
    first = strategy.decide(states, None, streams, histories)
    assert (streams != seed_streams(5, np.arange(6))).all()
    assert game.legal(states)[np.arange(6), first.actions].all() and (first.policy[~game.legal(states)] == 0).all()
    np.testing.assert_allclose(first.policy.sum(1), 1, rtol=1e-6)
    assert (np.abs(first.value) <= 1).all() and (first.evaluations == 0).all()
    for b in range(6):
        alone = strategy.decide(states[b : b + 1], None, seed_streams(5, np.arange(6))[b : b + 1], histories[b : b + 1])
        for one, all_rows in zip(alone, first, strict=True):
            np.testing.assert_array_equal(one[0], all_rows[b])


def test_mcts_finds_a_win_and_knows_its_worth():
    """Row 0 1 . / 3 4 . / . . .: the first player completes the top row, and the second must stop it."""
    game = make("tictactoe")
    strategy = make_strategy("openspiel_mcts", game, simulations=300)
    histories = [[0, 3, 1, 4], [0, 4, 1, 8]]
    states = np.stack([game.play(game.reset(1)[0], *history) for history in histories])
    decision = strategy.decide(states, None, seed_streams(np.arange(2)), np.array(histories))
    assert decision.actions.tolist() == [2, 2] and decision.value.tolist() == [1, 1]
    second = [3, 0, 8, 1, 4]  # the second player has the top row open, and stops nothing
    decision = strategy.decide(game.play(game.reset(1)[0], *second)[None], None, seed_streams(0), np.array([second]))
    assert decision.actions[0] == 2 and decision.value[0] == 1
    state = game.play(game.reset(1)[0], 0, 4, 1)
    assert strategy.decide(state[None], None, seed_streams(1), np.array([[0, 4, 1]])).actions[0] == 2


def test_more_simulations_see_more():
    game = make("hex", size=3)
    wide, narrow = (make_strategy("openspiel_mcts", game, simulations=n) for n in (2000, 20))
    nothing, streams = np.zeros((8, 0), np.int64), seed_streams(np.arange(8))
    assert (
        wide.decide(game.reset(8), None, streams, nothing).policy.max(1).mean()
        > 1.3 * narrow.decide(game.reset(8), None, streams, nothing).policy.max(1).mean()
    )


def test_alphabeta_agrees_with_the_game_theoretic_value():
    """Looking to the end of tic-tac-toe, its values are those of OpenSpiel's search and its moves keep them."""
    game, reference = make("tictactoe"), pyspiel.load_game("tic_tac_toe")
    strategy, perfect = make_strategy("openspiel_alphabeta", game, depth=9), make_strategy("perfect", game)
    rng = np.random.default_rng(4)
    for _ in range(6):
        position, history = reference.new_initial_state(), []
        while len(history) < 3:
            history.append(int(rng.choice(position.legal_actions())))
            position.apply_action(history[-1])
        state = game.play(game.reset(1)[0], *history)
        decision = strategy.decide(state[None], None, seed_streams(1), np.array([history]))
        value, _ = minimax.alpha_beta_search(reference, state=position)
        assert decision.value[0] == value == perfect.exact.values(state[None])[0]
        values = perfect.exact.action_values(state[None])[0]
        np.testing.assert_array_equal(decision.policy[0] > 0, values == value)


def test_depth_is_the_number_of_moves_looked_ahead():
    game = make("tictactoe")
    state, history = game.play(game.reset(1)[0], 0, 4, 1), np.array([[0, 4, 1]])
    one, two = (make_strategy("openspiel_alphabeta", game, depth=depth) for depth in (1, 2))
    assert (one.decide(state[None], None, seed_streams(0), history).policy[0] > 0).sum() == 6  # sees no threat
    assert two.decide(state[None], None, seed_streams(0), history).policy[0].argmax() == 2  # stops the top row


@pytest.mark.parametrize("name, settings, reason", [
    ("openspiel_mcts", {"simulations": 1}, "from 2"), ("openspiel_mcts", {"simulations": "many"}, "integer"),
    ("openspiel_mcts", {"c": -1.0}, "at least 0"), ("openspiel_mcts", {"depth": 3}, "no setting 'depth'"),
    ("openspiel_mcts", {"rollouts": True}, "integer"), ("openspiel_alphabeta", {"depth": 0}, "from 1 to 100"),
    ("openspiel_alphabeta", {"rollouts": -1}, "from 0"),
])  # fmt: skip
def test_impossible_settings_are_refused(name, settings, reason):
    with pytest.raises(AgentError, match=reason):
        make_strategy(name, make("tictactoe"), **settings)


def test_guests_are_searched_as_openspiels_own_positions():
    """The same random numbers grow the same trees over our tic-tac-toe and over OpenSpiel's; values agree as well."""
    theirs, guest = pyspiel.load_game("tic_tac_toe"), Guest(make("tictactoe"))
    for history in ([], [4], [0, 4, 8], [0, 3, 1, 4], [0, 1, 2, 3, 4, 5]):
        position, own = theirs.new_initial_state(), guest.position(np.array(history, np.int64))
        for action in history:
            position.apply_action(action)
        found = []
        for game, start in ((theirs, position), (guest.reference, own)):
            rng = np.random.RandomState(3)
            bot = mcts.MCTSBot(game, 2.0, 200, mcts.RandomRolloutEvaluator(1, rng), random_state=rng)
            root = bot.mcts_search(start)
            found.append([(child.action, child.explore_count, child.total_reward) for child in root.children])
            found[-1] += [root.outcome and list(root.outcome)]
        assert found[0] == found[1]
        worth = [minimax.alpha_beta_search(game, state=start, maximizing_player_id=0)[0]
                 for game, start in ((theirs, position), (guest.reference, own))]  # fmt: skip
        assert worth[0] == worth[1]


def test_a_redirected_stderr_survives_openspiels_logging():
    code = """if True:
        import contextlib, io, logging.config
        kept = io.StringIO()
        with contextlib.redirect_stderr(kept):
            from agents import openspiel_guest
        logging.config.dictConfig({"version": 1})
        kept.write("open")
    """
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_random_games_of_a_guest_are_uniformly_random():
    """Over all games of tic-tac-toe with random moves x wins 737/1260, o 121/420."""
    game = make("tictactoe")
    mean = RandomGames(game, 40_000, 1).evaluate(Guest(game).position(np.zeros(0, np.int64)))
    assert mean[0] == pytest.approx(737 / 1260 - 121 / 420, abs=0.02) and mean[1] == -mean[0]


def test_a_guests_strength_is_that_of_openspiels_own_search():
    """Our tic-tac-toe, where OpenSpiel's game is known and where it is not: 30 simulations each, over 400 games."""
    shares = []
    for first, second in (("TicTacToe", "Own"), ("Own", "TicTacToe")):
        games = {"TicTacToe": make("tictactoe"), "Own": Own()}
        players = [Player(name, make_strategy("openspiel_mcts", games[name], simulations=30), 1)
                   for name in (first, second)]  # fmt: skip
        record = play_pairs(games["TicTacToe"], players, [(0, 1)], Protocol(100, 1, 5, False), 0)[0]
        shares.append((record["wins_a"] + record["draws"] / 2) / record["games"])
    assert abs(shares[0] - shares[1]) < 0.15, shares


class Own(type(make("tictactoe"))):
    """A game that OpenSpiel does not have."""

    openspiel_id = None


def test_what_openspiels_players_cannot_play_is_refused():
    class Slow(Own):
        def advance(self, states, actions):
            super().advance(states, actions)

    with pytest.raises(AgentError, match="has no counterpart in OpenSpiel"):
        make_strategy("openspiel_mcts", Slow())
    game = make("tictactoe")
    with pytest.raises(AgentError, match="needs the moves that led to a position"):
        Agent(make_strategy("openspiel_mcts", game)).act(game.reset(1), seed_streams(0))


def test_mcts_values_are_those_of_the_player_to_move():
    """Two x stones in the middle of Hex 4x4 against two o in corners, far from proven with 10 simulations."""
    game = make("hex", size=4)
    strategy = make_strategy("openspiel_mcts", game, simulations=10)
    for history, sign in (([5, 0, 9, 3], 1), ([5, 0, 9, 3, 6], -1)):
        states, streams = np.stack([game.play(game.reset(1)[0], *history)] * 8), seed_streams(np.arange(8))
        values = sign * strategy.decide(states, None, streams, np.array([history] * 8)).value
        assert values.mean() > 0.2 and values.min() > -0.5 and len(set(values)) > 2


def test_two_simulations_are_enough_to_move():
    game = make("hex", size=3)
    decision = make_strategy("openspiel_mcts", game, simulations=2).decide(
        game.reset(1), None, seed_streams(0), np.zeros((1, 0), np.int64)
    )
    assert decision.actions[0] in range(9) and np.isfinite(decision.value[0]) and np.isfinite(decision.policy).all()
