"""Matches: every column against a slow twin that plays one game at a time; rows do not depend on each other."""

import functools

import numpy as np
import pytest

pytest.importorskip("games.exact")

from agents.agent import AgentError, Decision, Strategy, make_strategy
from agents.strategies.puct import PuctSearch
from experiments.play import Player, Protocol, make_openings, play_pairs
from experiments.pool import exact_player
from games import make


class Lowest(Strategy):
    """Plays the lowest legal action, or with `flip` the highest; says it spent its budget."""

    def __init__(self, game, flip=False):
        self.game, self.flip = game, flip

    def decide(self, states, budgets, streams):
        legal = self.game.legal(states)
        actions = legal.shape[1] - 1 - legal[:, ::-1].argmax(1) if self.flip else legal.argmax(1)
        nothing = np.zeros(len(states), np.float32)
        return Decision(actions, legal.astype(np.float32), nothing, budgets.astype(np.int64))


def hashed(game):
    """An evaluator of made-up answers that depend on the row alone."""
    inputs = int(np.prod(game.observation_shape))
    weights = np.random.default_rng(0).integers(1, 10**6, (inputs, game.num_actions + 1))

    def evaluate(planes):
        mixed = planes.reshape(len(planes), inputs).astype(np.int64) @ weights % 997
        answers = (mixed / 498 - 1).astype(np.float32)
        return answers[:, :-1], answers[:, -1].copy()

    return evaluate


def cast(game):
    """Players that repeat themselves: two simple ones and one snapshot with two budgets."""
    searching = PuctSearch(game, hashed(game))
    return [Player("low", Lowest(game), 3), Player("high", Lowest(game, flip=True), 5),
            Player("search1", searching, 1), Player("search20", searching, 20)]  # fmt: skip


PAIRS = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


@functools.cache
def value(state_bytes, title):
    """Negamax value for the player to move; the game is found by its title."""
    game = GAMES[title]
    state = np.frombuffer(state_bytes, game.state_dtype)
    if game.over(state[None])[0]:
        result = int(game.result(state[None])[0])
        return result if game.to_move(state[None])[0] == 0 else -result
    mover = game.to_move(state[None])[0]
    return max(after(game, state, action, mover) for action in np.flatnonzero(game.legal(state[None])[0]))


def after(game, state, action, mover):
    child = game.play(state, int(action))
    seen = value(child.tobytes(), game.title)
    return seen if game.to_move(child[None])[0] == mover else -seen


GAMES = {game.title: game for game in (make("tictactoe"), make("hex", size=3))}


def slow_row(game, players, pair, protocol, number):
    """The row of one pair, game after game, from the words of records.MATCHES."""
    row = dict.fromkeys(
        ["wins_a", "draws", "wins_b", "wins_a_first", "draws_a_first", "wins_b_first", "draws_b_first"], 0
    )
    row |= dict.fromkeys(["moves_a", "moves_b", "evaluations_a", "evaluations_b", "optimal_a", "optimal_b"], 0)
    outcomes, lines = "", set()
    for opening in make_openings(game, protocol, number):
        for a_is_first in (True, False):
            state, line = opening, []
            while not game.over(state[None])[0]:
                mover = int(game.to_move(state[None])[0])
                side = "ab"[mover if a_is_first else 1 - mover]
                player = players[pair["ab".index(side)]]
                decision = player.strategy.decide(
                    state[None], np.array([player.budget], np.int32), np.zeros(1, np.uint64)
                )
                action = int(decision.actions[0])
                row[f"moves_{side}"] += 1
                row[f"evaluations_{side}"] += int(decision.evaluations[0])
                best = value(state.tobytes(), game.title)
                row[f"optimal_{side}"] += after(game, state, action, mover) == best
                line.append(action)
                state = game.play(state, action)
            result = int(game.result(state[None])[0]) * (1 if a_is_first else -1)
            outcomes += {1: "w", 0: "d", -1: "l"}[result]
            row[{1: "wins_a", 0: "draws", -1: "wins_b"}[result]] += 1
            first = {1: "wins_a_first", 0: "draws_a_first"} if a_is_first else {-1: "wins_b_first", 0: "draws_b_first"}
            if result in first:
                row[first[result]] += 1
            lines.add((opening.tobytes(), tuple(line)))
    names = {"agent_a": players[pair[0]].name, "agent_b": players[pair[1]].name}
    return names | row | {"games": len(outcomes), "distinct_games": len(lines), "outcomes": outcomes,
                          "protocol": f"{protocol.moves} random opening moves", "seed": protocol.seed}  # fmt: skip


@pytest.mark.parametrize("title", list(GAMES))
@pytest.mark.parametrize("moves", [2, 3])
def test_rows_are_those_of_a_slow_twin(title, moves):
    game, protocol = GAMES[title], Protocol(openings=6, moves=moves, seed=4)
    rows = play_pairs(game, cast(game), PAIRS, protocol, 1, exact_player(game))
    for row, pair in zip(rows, PAIRS, strict=True):
        assert row == slow_row(game, cast(game), pair, protocol, 1)
    assert any(row["draws"] for row in rows) == game.can_draw
    assert any(row["optimal_a"] < row["moves_a"] for row in rows)


@pytest.mark.parametrize("title", list(GAMES))
def test_counts_add_up(title):
    game = GAMES[title]
    players = [*cast(game), Player("random", make_strategy("random", game), 1)]
    pairs = [*PAIRS, (0, 4), (3, 4)]
    rows = play_pairs(game, players, pairs, Protocol(16, 2, 0), 0)
    for row in rows:
        assert row["wins_a"] + row["draws"] + row["wins_b"] == row["games"] == 32 == len(row["outcomes"])
        first, second = row["outcomes"][::2], row["outcomes"][1::2]
        assert (first.count("w"), first.count("d")) == (row["wins_a_first"], row["draws_a_first"])
        assert (second.count("l"), second.count("d")) == (row["wins_b_first"], row["draws_b_first"])
        assert row["draws_a_first"] + row["draws_b_first"] == row["draws"]
        assert row["optimal_a"] == row["optimal_b"] == ""
        assert row["distinct_games"] <= row["games"]


def test_a_row_does_not_depend_on_the_other_pairs_of_its_chunk():
    game = GAMES["hex3"]
    searching = PuctSearch(game, hashed(game), sample=True)
    players = [*cast(game), Player("random", make_strategy("random", game), 1), Player("draws", searching, 8)]
    pairs = [(i, j) for j in range(6) for i in range(j)]
    protocol = Protocol(8, 2, 3)
    together = play_pairs(game, players, pairs, protocol, 2)
    for number in (0, 4, 9, 14):
        assert play_pairs(game, players, [pairs[number]], protocol, 2) == [together[number]]
    backwards = play_pairs(game, players, pairs[::-1], protocol, 2)
    assert backwards[::-1] == together


def test_players_that_draw_their_moves_play_different_games_in_each_pair_and_round():
    game = GAMES["hex3"]
    players = [Player(name, make_strategy("random", game), 1) for name in ("r1", "r2", "r3")]
    protocol = Protocol(20, 2, 0)
    rows = play_pairs(game, players, [(0, 1), (0, 2), (1, 2)], protocol, 0)
    again = play_pairs(game, players, [(0, 1)], protocol, 1)
    assert len({row["outcomes"] for row in [*rows, *again]}) == 4
    assert rows[0]["distinct_games"] > 30


# ---- openings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, size", [("tictactoe", {}), ("hex", {"size": 3}), ("hex", {"size": 5, "swap": True})])
@pytest.mark.parametrize("moves", [1, 2, 3])
def test_openings_are_distinct_unfinished_and_as_long_as_asked(name, size, moves):
    game = make(name, **size)
    protocol = Protocol(9, moves, seed=5)
    openings = make_openings(game, protocol, 3)
    assert len(openings) == 9 and len(np.unique(openings, axis=0)) == 9
    assert not game.over(openings).any()
    assert (game.to_move(openings) == moves % 2).all()
    np.testing.assert_array_equal(openings, make_openings(game, protocol, 3))
    assert not np.array_equal(openings, make_openings(game, protocol, 4))
    assert not np.array_equal(openings, make_openings(game, Protocol(9, moves, seed=6), 3))


def test_openings_longer_than_a_game_are_shortened():
    game = make("hex", size=2)
    openings = make_openings(game, Protocol(8, 4, seed=0), 0)
    assert len(openings) == 8 and not game.over(openings).any()


def test_the_protocol_of_jones_begins_on_the_empty_board():
    game = GAMES["hex3"]
    protocol = Protocol(5, 0, seed=0, sample=True)
    np.testing.assert_array_equal(make_openings(game, protocol, 2), game.reset(5))
    assert str(protocol) == "empty board, sampled moves"


# ---- distinct games ------------------------------------------------------------------------------------------------


def test_games_from_the_empty_board_count_once_however_often_they_are_repeated():
    game = GAMES["tictactoe3"]
    players = cast(game)
    rows = play_pairs(game, players, [(0, 1), (0, 0)], Protocol(10, 0, seed=0, sample=True), 0)
    assert rows[0]["games"] == 20 and rows[0]["distinct_games"] == 2  # one with each colour
    assert rows[1]["distinct_games"] == 1


def test_openings_that_repeat_do_not_make_games_distinct():
    """On 2x2 there are twelve openings of two moves; thirty-two asked for repeat them."""
    game = make("hex", size=2)
    openings = make_openings(game, Protocol(32, 2, seed=0), 0)
    different = len(np.unique(openings, axis=0))
    assert different <= 12
    row = play_pairs(game, cast(game), [(0, 1)], Protocol(32, 2, seed=0), 0)[0]
    assert row["games"] == 64 and row["distinct_games"] <= 2 * different


def test_progress_is_told():
    told = []
    game = GAMES["hex3"]
    play_pairs(game, cast(game), PAIRS[:2], Protocol(4, 2, 0), 0, progress=told.append)
    assert told == sorted(told) and 0 < told[-1] <= 16


FAULTS = {
    "an illegal move": (lambda d: d._replace(actions=d.actions * 0), "chose action 0, which is not legal there"),
    "no such action": (lambda d: d._replace(actions=d.actions * 0 + 99), "chose action 99, which is not legal there"),
    "a negative action": (lambda d: d._replace(actions=d.actions * 0 - 1), "chose action -1"),
    "one answer for all": (lambda d: d._replace(actions=d.actions[:1]), r"actions int64 \[1\]: expected int64 \[4\]"),
    "floats": (lambda d: d._replace(actions=d.actions.astype(float)), r"actions float64 \[4\]: expected int64"),
    "no bill": (lambda d: d._replace(evaluations=None), r"evaluations object \[\]: expected int64 \[4\]"),
    "too dear": (lambda d: d._replace(evaluations=d.evaluations + 1), "spent 4 evaluations on a move, more than its"),
    "the moves alone": (lambda d: d.actions, "answers with ndarray: expected a Decision"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_no_game_can_go_on_with_is_refused(fault):
    change, message = FAULTS[fault]

    class Faulty(Lowest):
        def decide(self, states, budgets, streams):
            return change(super().decide(states, budgets, streams))

    game = make("tictactoe")
    players = [Player("faulty", Faulty(game), 3), Player("low", Lowest(game), 3)]
    with pytest.raises(AgentError, match=message):
        play_pairs(game, players, [(0, 1)], Protocol(4, 2, seed=0), 0)


def test_a_strategy_that_writes_to_its_positions_changes_no_game():
    class Writing(Lowest):
        def decide(self, states, budgets, streams):
            decision = super().decide(states, budgets, streams)
            states[:] = 0
            return decision

    game, protocol = make("tictactoe"), Protocol(4, 2, seed=0)
    other = Player("b", Lowest(game, flip=True), 3)
    as_it_is, writing = (play_pairs(game, [Player("a", cls(game), 3), other], [(0, 1)], protocol, 0)
                         for cls in (Lowest, Writing))  # fmt: skip
    assert as_it_is == writing
