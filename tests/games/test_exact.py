"""Exact play of Hex: values and proofs, against a slow twin and against enumeration. test_exact_players.py goes on."""

import numpy as np
import pytest
from boards import random_positions

from games import hex_answers, hex_bits, hex_fill, hex_proof, hex_table, make
from games.core import HEADER, TO_MOVE
from games.enumeration import Enumeration
from games.exact import ILLEGAL, solver
from tests.games import slow_hex

OPENINGS = {  # which first moves win for player 0; on 4 x 4 the short diagonal alone
    2: "-+ +-",
    3: "--+ +++ +--",
    4: "---+ --+- -+-- +---",
    5: "----+ -++++ -+++- ++++- +----",
    6: "-----+ -+++++ ++++++ ++++++ +++++- +-----",
}


pytestmark = pytest.mark.usefixtures("cache")


def cells_of(game, state):
    """Cells as the slow twin has them: -1 empty, 0, 1."""
    codes = state[HEADER : HEADER + game.size**2].astype(int)
    return np.where(codes == 0, -1, (codes - 1) % 2)


def bits(cells):
    """Bitboard of a bool board [size, size]."""
    return sum(1 << int(8 * r + c) for r, c in np.argwhere(cells))


# ---- values of Hex -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", OPENINGS)
def test_winning_openings_are_the_known_ones(size):
    game = make("hex", size=size)
    values = solver(game).action_values(game.reset(1))[0]
    assert " ".join("".join("-?+"[v + 1] for v in row) for row in values.reshape(size, size)) == OPENINGS[size]


@pytest.mark.parametrize("size", [3, 4])
def test_openings_agree_with_plain_search(size):
    game = make("hex", size=size)
    values = solver(game).action_values(game.reset(1))[0]
    assert (values == values[::-1]).all()
    for cell in range((size * size + 1) // 2):
        cells = np.full(size * size, -1)
        cells[cell] = 0
        assert values[cell] == -slow_hex.value(cells, size, 1)


@pytest.mark.parametrize("size, low, count", [(4, 4, 60), (5, 13, 60), (6, 24, 20)])
def test_random_positions_agree_with_plain_search(size, low, count):
    game = make("hex", size=size)
    states = random_positions(game, count, np.random.default_rng(size), low, low + 6)
    exact = solver(game)
    values, perfect = exact.action_values(states), exact.perfect_moves(states)
    for state, value, moves in zip(states, values, perfect, strict=True):
        cells, player = cells_of(game, state), int(state[TO_MOVE])
        slow = slow_hex.action_values(cells, size, player)
        assert (value == slow).all(), game.draw(state)
        assert (moves == slow_hex.stubborn(cells, size, player)).all(), game.draw(state)
        assert exact.values(state[None])[0] == slow.max()


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("swap", [False, True])
def test_enumeration_agrees_on_every_position(size, swap):
    twin = Enumeration(make("hex", size=size, swap=swap))
    states = twin.graph.states
    exact = solver(twin.game)
    assert len(states) == {(2, False): 32, (2, True): 63, (3, False): 5514, (3, True): 11027}[size, swap]
    assert (exact.values(states) == twin.values(states)).all()
    assert (exact.action_values(states) == twin.action_values(states)).all()
    assert (exact.perfect_moves(states) == twin.perfect_moves(states)).all()


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("swap", [False, True])
def test_values_follow_from_the_next_positions(size, swap):
    """Also the swap: played by the game itself, then valued as any position."""
    game = make("hex", size=size, swap=swap)
    rng = np.random.default_rng(size)
    plies = (1, 2, 3) if size < 6 else (10, 12)
    states = np.concatenate([game.reset(1)] * (size < 6) + [random_positions(game, 20, rng, k, k) for k in plies])
    exact = solver(game)
    values = exact.action_values(states)
    legal = game.legal(states)
    rows, actions = np.nonzero(legal)
    children = states[rows]
    game.advance(children, actions)
    assert ((values != ILLEGAL) == legal).all()
    assert (values[rows, actions] == -exact.values(children)).all()
    assert (exact.values(states) == values.max(axis=1)).all()


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
def test_the_first_player_wins_without_swap_and_loses_with_it(size):
    for swap, value in ((False, 1), (True, -1)):
        game = make("hex", size=size, swap=swap)
        assert solver(game).values(game.reset(1))[0] == value


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_first_moves_under_swap_leave_the_fewest_winning_replies(size):
    game = make("hex", size=size, swap=True)
    exact = solver(game)
    empty = game.reset(1)[0]
    children = np.stack([game.play(empty, action) for action in range(size * size)])
    replies = (exact.action_values(children) == 1).sum(axis=1)
    assert (exact.perfect_moves(empty[None])[0, :-1] == (replies == replies.min())).all()
    assert not exact.perfect_moves(empty[None])[0, -1]


def test_finished_games_have_the_result_and_no_moves():
    game = make("hex", size=3)
    state = game.play(game.reset(1)[0], 0, 1, 3, 4, 6)
    exact = solver(game)
    assert game.over(state[None])[0]
    assert exact.values(state[None])[0] == -1  # player 0 has won, player 1 would be to move
    assert (exact.action_values(state[None]) == ILLEGAL).all()
    assert not exact.perfect_moves(state[None]).any()


# ---- proofs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size, low", [(4, 0), (5, 0), (6, 0), (7, 16)])
def test_the_winner_needs_nothing_outside_his_carrier(size, low):
    game = make("hex", size=size)
    board, work = hex_bits.make_board(size), hex_proof.make_work(1 << 16, 1 << 16)
    states = random_positions(game, 300, np.random.default_rng(size), low, size * size - 4)
    tried = 0
    for state in states:
        cells, player = cells_of(game, state).reshape(size, size), int(state[TO_MOVE])
        entry = int(hex_proof.prove(board, *hex_answers.read(board, state), work))
        carrier = np.array([[entry >> (8 * r + c) & 1 for c in range(size)] for r in range(size)], bool)
        carrier = carrier.T if player else carrier
        won = bool(entry & int(hex_table.WON))
        assert not (carrier & (cells != -1)).any()
        loser = 1 - player if won else player
        cells[(cells == -1) & ~carrier] = loser
        if carrier.sum() <= 14:
            tried += 1
            assert slow_hex.value(cells.ravel(), size, player) == (1 if won else -1), game.draw(state)
    assert tried > 100


def test_filling_in_changes_no_value():
    """Dead and captured cells may be given away: the filled position has the same value for either player to move."""
    size, rng = 5, np.random.default_rng(1)
    game, board = make("hex", size=size), hex_bits.make_board(5)
    filled = 0
    for state in random_positions(game, 200, rng, 12, 18):
        own, opp = hex_answers.read(board, state)
        frame = np.zeros(hex_proof.FRAME_WORDS, np.uint64)
        frame[hex_fill.OWN], frame[hex_fill.OPP] = own, opp
        hex_fill.fill_in(board, frame, np.zeros((2, 6), np.uint64))
        before, after = as_cells(own, opp, size), as_cells(frame[hex_fill.OWN], frame[hex_fill.OPP], size)
        filled += (before != after).any()
        for player in (0, 1):
            assert slow_hex.value(before, size, player) == slow_hex.value(after, size, player), game.draw(state)
    assert filled > 50


def test_vulnerable_moves_are_answered():
    """The reply makes the stone dead: its colour changes no value. And the others win if any move does."""
    size, rng = 5, np.random.default_rng(2)
    board, rings, found, won = hex_bits.make_board(5), np.zeros((2, 6), np.uint64), 0, 0
    for state in random_positions(make("hex", size=size), 150, rng, 11, 18):
        own, opp = (np.uint64(x) for x in hex_answers.read(board, state))
        hex_fill.look_around(board, own, opp, rings[0], rings[1])
        empty = board.full & ~(own | opp)
        moves, replies = (int(x) for x in hex_fill.vulnerable(rings[0], rings[1], empty, empty))
        before = as_cells(own, opp, size)
        values = slow_hex.action_values(before, size, 0)
        rest = [c for c in range(25) if before[c] == -1 and not moves >> (8 * (c // 5) + c % 5) & 1]
        assert max(values[rest], default=-1) == values.max()
        won += values.max() == 1
        for cell in set(range(25)) - set(rest) - set(np.flatnonzero(before != -1)):
            found += 1
            dead = []
            for reply in (c for c in range(25) if replies >> (8 * (c // 5) + c % 5) & 1 and c != cell):
                after = before.copy()
                after[reply] = 1
                colours = [np.where(np.arange(25) == cell, colour, after) for colour in (0, 1)]
                dead.append(all(len({slow_hex.value(x, size, player) for x in colours}) == 1 for player in (0, 1)))
            assert any(dead)
    assert found > 100 and won > 20


@pytest.mark.parametrize("size", [4, 5, 6, 7])
def test_ziggurats_hold(size):
    """Nothing else empty, a stone on a column down from the top: its owner wins as second. Turned, at the top."""
    board, rng, seen = hex_bits.make_board(size), np.random.default_rng(3), set()
    for _ in range(400):
        free = np.uint64(bits(rng.random((size, size)) < 0.9))
        tied, turned = (np.uint64(x) for x in (hex_bits.third_bottom(board, free), hex_bits.half_turn(board, free)))
        assert hex_bits.third_top(board, turned) == hex_bits.half_turn(board, tied)
        for column in range(size):
            stone = np.uint64(1 << (8 * (size - 3) + column))
            if not int(stone) & int(tied):
                continue
            carrier = hex_bits.ziggurat_bottom(stone, free)
            top = np.uint64(hex_bits.ziggurat_top(np.uint64(hex_bits.half_turn(board, stone)), turned))
            assert hex_bits.half_turn(board, top) == carrier and not int(carrier) & ~int(free)
            seen.add((column, int(carrier)))
    for column, carrier in seen:
        column_down = sum(1 << (8 * row + column) for row in range(size - 2))
        cells = as_cells(column_down, int(board.full) & ~column_down & ~carrier, size)
        assert (cells == -1).sum() == 8 and slow_hex.value(cells, size, 1) == -1
    assert len(seen) == 2 * (size - 3)


def as_cells(own, opp, size):
    """Cells for the slow twin from the bitboards of players 0 and 1."""
    at = [8 * r + c for r in range(size) for c in range(size)]
    return np.array([0 if int(own) >> i & 1 else 1 if int(opp) >> i & 1 else -1 for i in at])


def test_bitboards_turn_as_boards_do():
    rng = np.random.default_rng(0)
    for size in range(2, 8):
        board = hex_bits.make_board(size)
        for _ in range(20):
            cells = rng.random((size, size)) < 0.5
            x = np.uint64(bits(cells))
            assert int(hex_bits.transpose(x)) == bits(cells.T)
            assert int(hex_bits.half_turn(board, x)) == bits(cells[::-1, ::-1])
            assert hex_bits.popcount(x) == cells.sum()


@pytest.mark.parametrize("size", [3, 4, 5])
def test_half_turn_and_change_of_players_change_nothing(size):
    game = make("hex", size=size)
    exact = solver(game)
    states = random_positions(game, 300, np.random.default_rng(2), 2)
    values, perfect = exact.action_values(states), exact.perfect_moves(states)
    boards = np.array([cells_of(game, state) + 1 for state in states]).reshape(-1, size, size)
    actions = np.arange(size * size).reshape(size, size)
    board, work = hex_bits.make_board(size), hex_proof.make_work(1 << 16, 1 << 16)
    for flip in (False, True):
        turned = states.copy()
        if flip:  # players and edges exchanged
            turned[:, HEADER:] = np.array([0, 2, 1])[boards].transpose(0, 2, 1).reshape(len(states), -1)
            turned[:, TO_MOVE] = 1 - states[:, TO_MOVE]
            index = actions.T.ravel()
        else:
            turned[:, HEADER:] = boards[:, ::-1, ::-1].reshape(len(states), -1)
            index = actions.ravel()[::-1]
        fresh = np.full(values.shape, ILLEGAL, np.int8)
        hex_answers.fill_action_values(board, False, turned, fresh, work)
        assert (fresh == values[:, index]).all()
        moves = np.zeros(values.shape, np.int8)
        hex_answers.fill_perfect_moves(board, False, turned, moves, hex_proof.make_work(1 << 16, 1 << 16))
        assert (moves.view(bool) == perfect[:, index]).all()


def test_small_tables_forget_and_still_prove():
    game = make("hex", size=5)
    board, states = hex_bits.make_board(5), random_positions(make("hex", size=5), 200, np.random.default_rng(3), 2)
    expected = solver(game).perfect_moves(states)
    work = hex_proof.make_work(64, 64)
    out = np.zeros(expected.shape, np.int8)
    hex_answers.fill_perfect_moves(board, False, states, out, work)
    assert (out.view(bool) == expected).all()


def test_rows_do_not_depend_on_their_batch():
    game = make("hex", size=5)
    states = random_positions(game, 100, np.random.default_rng(4), 2)
    exact = solver(game)
    for ask in (exact.values, exact.action_values, exact.perfect_moves):
        assert (ask(states) == np.concatenate([ask(state[None]) for state in states])).all()
        assert (ask(states[::-1])[::-1] == ask(states)).all()


def test_the_empty_board_takes_few_positions():
    """29 and 2,392 when this was written. A solver gone blind to bridges still proves, but takes many more."""
    for size, most in ((5, 60), (6, 4000)):
        work = hex_proof.make_work(1 << 20, 1 << 12)
        zero = np.uint64(0)
        assert hex_proof.prove(hex_bits.make_board(size), zero, zero, work) & hex_table.WON
        assert work.tally[0] < most
