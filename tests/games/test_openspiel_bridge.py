"""OpenSpiel's games under the contract: the same games as OpenSpiel plays, and what does not fit is refused.

All games that the bridge takes, at their own sizes: `python -m games.conformance openspiel id="lines_of_action()"`, one
after the other; docs/games.md lists how each fared.
"""

import itertools
import subprocess
import sys

import numpy as np
import pyspiel
import pytest
from bridge_speed import compare

from games import GameError, make, openspiel, openspiel_games
from games.conformance import parametrize_with_checks
from games.core import OVER, TO_MOVE, Game
from games.exact import solver

IN_CONFORMANCE = ["tic_tac_toe", "y(board_size=4)", "hex(board_size=3,swap=True)", "nim(pile_sizes=1;2;3)",
                  "havannah(board_size=3,swap=True)", "go(board_size=3)", "clobber(rows=3,columns=4)",
                  "mnk(m=3,n=4,k=3)", "dots_and_boxes(num_rows=1,num_cols=3)", "twixt(board_size=6)"]  # fmt: skip


@parametrize_with_checks([make("openspiel", id=name) for name in IN_CONFORMANCE])
def test_promises(game, check):
    check(game, seed=0)


@pytest.mark.parametrize("name, plies", [
    ("tic_tac_toe", 9), ("chess", 30), ("oware", 60), ("mancala", 60), ("othello", 64), ("amazons(board_size=6)", 40),
    ("connect_four", 42), ("antichess", 90), ("breakthrough(rows=5,columns=4)", 40), ("ultimate_tic_tac_toe", 60),
])  # fmt: skip
def test_games_are_those_of_openspiel(name, plies):
    """Turns, legal actions, ends and results; player 0 is who begins, which in OpenSpiel's chess is player 1."""
    game, reference = make("openspiel", id=name), pyspiel.load_game(name)
    rng, states = np.random.default_rng(0), game.reset(6)
    others = [reference.new_initial_state() for _ in states]
    first = others[0].current_player()
    for _ in range(plies):
        masks = game.legal(states)
        for b, other in enumerate(others):
            assert np.flatnonzero(masks[b]).tolist() == other.legal_actions()
            assert game.over(states)[b] == other.is_terminal()
            if other.is_terminal():
                assert game.result(states)[b] == np.sign(other.returns()[first])
            else:
                assert game.to_move(states)[b] == (other.current_player() != first) and game.result(states)[b] == 0
        live = np.flatnonzero(~game.over(states))
        actions = [int(rng.choice(np.flatnonzero(masks[b]))) for b in live]
        moved = states[live]
        game.advance(moved, np.array(actions, np.int64))
        states[live] = moved
        for b, action in zip(live, actions, strict=True):
            others[b].apply_action(action)


@pytest.mark.parametrize("name, largest", [("y", 9), ("havannah", 6), ("hex", 9)])
def test_board_sizes_live_together(name, largest):
    """OpenSpiel's own positions crash when a larger board is made after them; in a process of its own."""
    games = ", ".join(f"make('openspiel', id='{name}(board_size={size})')" for size in range(3, largest))
    code = f"""if True:
        import numpy as np
        from games import make
        rng, live = np.random.default_rng(0), [(game, game.reset(20)) for game in ({games})]
        while live:
            for game, states in live:
                masks = game.legal(states)
                game.advance(states, np.array([rng.choice(np.flatnonzero(mask)) for mask in masks]))
            live = [(game, states[~game.over(states)]) for game, states in live if not game.over(states).all()]
    """
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_the_mover_sees_own_pieces_first():
    """Tic-tac-toe: OpenSpiel's planes are empty, o, x for everybody; here o's come to stand where x's did."""
    game = make("openspiel", id="tic_tac_toe")
    one = game.play(game.reset(1)[0], 0)
    two = game.play(one, 4)
    for state, own, other, mover in ((one, [], [0], 1), (two, [0], [4], 0)):
        planes = game.observe(state[None])[0].reshape(4, 9)
        assert [np.flatnonzero(planes[p]).tolist() for p in (2, 1)] == [own, other]
        assert (planes[3] == mover).all() and planes[0].sum() == 9 - len(own + other)


def test_every_exchange_is_a_pairing_of_planes_that_the_game_has():
    assert set(openspiel.EXCHANGED) <= set(pyspiel.registered_names())
    for name, pairs in openspiel.EXCHANGED.items():
        planes = [plane for pair in pairs for plane in pair]
        assert len(set(planes)) == len(planes), name
        assert max(planes) < pyspiel.load_game(name).observation_tensor_shape()[0], name


@pytest.mark.parametrize("name", ["antichess", "breakthrough", "checkers", "chess", "connect_four", "oware", "mancala",
                                  "go(board_size=5)", "lines_of_action", "nine_mens_morris", "xiangqi", "shogi",
                                  "crazyhouse", "quoridor(board_size=5)"])  # fmt: skip
def test_a_move_adds_to_own_planes_only(name):
    """For either player, own planes gain from own moves and the opponent's planes never do: the pairs are right."""
    game = make("openspiel", id=name)
    pairs = np.array(openspiel.EXCHANGED[game.positions.name]).T
    blocks = game.positions.game.observation_tensor_shape()[0]
    rng, states = np.random.default_rng(1), game.reset(8)
    gained = np.zeros((2, 2, blocks))  # by whom, seen by whom, where
    whole = np.zeros(blocks, np.bool_)  # planes that hold a number everywhere, such as who is to move
    for _ in range(40):
        masks, player = game.legal(states), game.to_move(states)
        actions = np.where(masks, rng.random(masks.shape), -1).argmax(1)
        after = states.copy()
        live = np.flatnonzero(masks.any(1))
        if not len(live):
            break
        moved = after[live]
        game.advance(moved, actions[live])
        after[live] = moved
        for viewer in (0, 1):
            seen = []
            for rows in (states, after):
                looking = rows[live].copy()
                looking[:, 0] = viewer
                parts = game.observe(looking).reshape(len(live), -1)[:, : len(game.positions.observation.tensor)]
                seen.append(parts.reshape(len(live), blocks, -1))
            rose = (seen[1] > seen[0]).sum(2)
            whole |= (rose == seen[0].shape[2]).any(0)
            for by in (0, 1):
                gained[by, viewer] += rose[player[live] == by].sum(0)
        states = after
    np.testing.assert_array_equal(gained[0, 0][pairs[0]], gained[0, 1][pairs[1]])
    np.testing.assert_array_equal(gained[1, 0][pairs[0]], gained[1, 1][pairs[1]])
    if game.positions.name not in ("oware", "mancala"):  # there seeds go round
        each = gained[[0, 1], 0] * ~whole
        alone = (each.min(0) == 0) & (each.max(0) > 0.05 * each.sum(1).max()) & ~np.isin(np.arange(blocks), pairs)
        assert not alone.any(), f"planes {np.flatnonzero(alone)} belong to one player"
        own = [gained[by, by][pairs].sum(1) for by in (0, 1)]
        assert own[0].argmax() == own[1].argmax() and min(own[0].min(), own[1].min()) < 0.02 * own[0].max()


def seen_by(game, viewer, *moves):
    """What `viewer` would see after `moves` on the board, without the plane that says who looks."""
    state = game.play(game.reset(1)[0], *moves)
    state[TO_MOVE] = viewer
    return game.observe(state[None])[0, : game.positions.shape[0]]


def test_twixt_is_turned_for_the_second_player():
    """One peg each where both may stand: what one player sees, the other sees with the pegs exchanged and turned."""
    game = make("openspiel", id="twixt(board_size=6)")
    assert game.views[0].tolist() == list(range(36))
    second = game.views[1]
    inside = [6 * column + row for column in range(1, 5) for row in range(1, 5)]
    assert {int(second[cell]) for cell in inside} == set(inside)
    for own, other in itertools.permutations(inside, 2):
        one, two = seen_by(game, 0, own, other), seen_by(game, 1, second[other], second[own])
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", ["antichess", "checkers", "chess", "crazyhouse", "shogi", "xiangqi"])
def test_boards_with_a_direction_are_turned_for_the_second_player(name):
    """Where the second player always answers in the mirror, both see the same after each pair of moves."""
    game, rng, pairs = make("openspiel", id=name), np.random.default_rng(4), 0
    for _ in range(20):
        state = game.reset(1)[0]
        for _ in range(5):
            action = int(rng.choice(np.flatnonzero(game.legal(state[None])[0])))
            answered = game.play(state, action)
            if game.over(answered[None])[0] or not game.legal(answered[None])[0, game.views[1, action]]:
                break
            state = game.play(answered, int(game.views[1, action]))
            other = state.copy()
            other[TO_MOVE] = 1
            planes = [game.observe(each[None])[0, : game.positions.shape[0]] for each in (state, other)]
            pieces = [seen[[own for own, _ in openspiel.EXCHANGED[name]]].sum() for seen in planes]
            if pieces[0] != pieces[1]:  # in the middle of the board the answer took the piece that moved
                break
            np.testing.assert_array_equal(*planes)
            pairs += 1
    assert pairs > 50


def test_other_boards_are_not_turned():
    """There an action sets the same entry for both, or the bridge does not know better; all games that it takes."""
    turned = {"twixt", "checkers", "chinese_checkers", "shogi", "xiangqi"}
    names = [kind.short_name for kind in pyspiel.registered_games() if openspiel_games.fits(kind)]
    taken = 0
    for name in names:
        try:
            game = make("openspiel", id="twixt(board_size=6)" if name == "twixt" else name)
        except GameError:  # games made of others, which name none
            continue
        taken += 1
        assert (np.sort(game.views[1]) == game.views[0]).all()
        assert (game.views[1] == game.views[0]).all() == (name not in turned), name
    assert taken > 30


def test_the_star_of_chinese_checkers_is_turned_for_the_second_player():
    """Where the second player answers each turn, hop by hop, in the mirror, both see the same pieces after it."""
    game, rng, pairs, hops = make("openspiel", id="chinese_checkers(players=2)"), np.random.default_rng(0), 0, 0
    for _ in range(20):
        state = game.reset(1)[0]
        while True:
            turn = []
            while state[TO_MOVE] == 0:
                turn.append(int(rng.choice(np.flatnonzero(game.legal(state[None])[0]))))
                state = game.play(state, turn[-1])
            for action in map(int, game.views[1, turn]):
                if state[TO_MOVE] == 1 and game.legal(state[None])[0, action]:
                    state = game.play(state, action)
            if state[TO_MOVE] != 0 or len(game.history(state)) > 60:  # the answer was blocked in the middle
                break
            other = state.copy()
            other[TO_MOVE] = 1
            one, two = (game.observe(each[None])[0, 0, 0, :363] for each in (state, other))
            if (one[:121] != one[121:242][::-1]).any():  # part of the answer was blocked
                break
            np.testing.assert_array_equal(one, two)
            pairs, hops = pairs + 1, hops + (len(turn) > 1)
    assert pairs > 50 and hops > 10


def test_a_game_beyond_the_room_of_its_positions_ends_with_a_word(monkeypatch):
    monkeypatch.setattr(openspiel_games, "LONGEST", 4)
    game = make("openspiel", id="go(board_size=3)")
    assert game.max_length == 4
    state = game.play(game.reset(1)[0], 0, 1, 2, 3)
    with pytest.raises(GameError, match="went on after 4 moves, the longest that there is room for"):
        game.play(state, 5)


SECOND_SIZE = """
import numpy as np
from games import GameError, make
game = make("openspiel", id="twixt(board_size=6)")
for other in ("twixt(board_size=12)", "start_at(history=20;30,game=twixt(board_size=12))"):
    try:
        make("openspiel", id=other)
    except GameError as error:
        print("that of the first, 6; choose one size" in str(error))
states = game.reset(64)
for _ in range(20):
    legal = game.legal(states)
    game.advance(states, np.where(legal, np.arange(36)[::-1], -1).argmax(1))
    game.observe(states)
print(len(game.history(states[0])))
"""


def test_a_second_board_size_of_twixt_is_refused_and_the_first_goes_on():
    """OpenSpiel would crash in positions of the first; in a process of its own, that others may have begun with."""
    ended = subprocess.run([sys.executable, "-c", SECOND_SIZE], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "True\nTrue\n20\n"), ended.stderr


def test_a_bounded_memory_changes_nothing(monkeypatch):
    """With room for 5 positions nearly all are made again from their moves."""
    game = make("openspiel", id="havannah(board_size=3)")

    def play():
        game.positions.forget()
        rng, states, trail = np.random.default_rng(3), game.reset(20), []
        for _ in range(8):
            mask = game.legal(states)
            game.advance(states, np.where(mask, rng.random(mask.shape), -1).argmax(1))
            trail += [states.copy(), game.observe(states)]
            kept = [game.positions._young, game.positions._old, game.positions._made]
            assert max(map(len, kept)) <= openspiel.KEPT + len(states)
        return trail

    roomy = play()
    monkeypatch.setattr(openspiel, "KEPT", 5)
    for one, other in zip(roomy, play(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_may_hold_a_game_and_its_continuations(seed):
    """`advance` changes OpenSpiel's positions in place: other rows and later calls must not see it."""
    game, rng = make("openspiel", id="tic_tac_toe"), np.random.default_rng(seed)
    moves = rng.permutation(9)[:5].tolist()
    known = [game.play(game.reset(1)[0], *moves[:length]) for length in range(5)]
    for _ in range(30):
        lengths = rng.integers(0, 5, 8)
        states, actions = np.array(known)[lengths], np.array(moves)[lengths]
        if rng.random() < 0.3:
            game.positions.forget()
        if rng.random() < 0.7:
            game.advance(states, actions)
        else:
            game.step(states, actions, np.empty((8, 9), np.bool_), np.empty((8, *game.observation_shape), np.float32))
        for state, length, mask in zip(states, lengths, game.legal(states), strict=True):
            expected = pyspiel.load_game("tic_tac_toe").new_initial_state()
            for move in moves[: length + 1]:
                expected.apply_action(move)
            assert np.flatnonzero(mask).tolist() == expected.legal_actions()
            assert bool(state[OVER]) == expected.is_terminal()
            assert expected.is_terminal() or state[TO_MOVE] == expected.current_player()


def test_picks_from_lists_are_those_from_masks():
    game, rng = make("openspiel", id="tic_tac_toe"), np.random.default_rng(0)
    states = game.reset(200)
    while not game.over(states).all():
        fractions = rng.random(200)
        actions = game.pick(states, fractions)
        np.testing.assert_array_equal(actions, Game.pick(game, states, fractions))
        running = np.flatnonzero(actions >= 0)
        part = states[running]
        game.advance(part, actions[running])
        states[running] = part


def test_equal_games_share_a_memory_and_others_do_not():
    one, same = make("openspiel", id="hex(board_size=4)"), make("openspiel", id="hex(board_size=4)")
    assert one.positions is same.positions
    assert make("openspiel", id="hex(board_size=5)").positions is not one.positions


@pytest.mark.parametrize("name, reason", [
    ("kuhn_poker", "chance"), ("matrix_rps", "same time"), ("dark_hex", "hidden"), ("tarok", "players"),
    ("goofspiel(imp_info=True,points_order=descending)", "same time"), ("catch", "1 players"),
    ("y(board_size=65)", "at most 64"), ("hexx", "such as hex"), ("havanna", "havannah"), ("", "expected one such as"),
    ("hex(", "closing bracket"), ("go(board_size=5);komi=7", "closing bracket"), ("misere(game=no())", "game 'no'."),
    ("nfg_game", "same time"), ("normal_form_extensive_game(game=tic_tac_toe())", "same time"),
    ("chess(chess960=True)", "begins with chance"), ("hex(board_size=1)", "nobody can move"),
    ("misere(game=y(board_size=65))", "at most 64"), ("hex(num_rows=2,num_cols=3)", "no squares"),
    ("hex(board_sise=4)", "Available parameters are: board_size"), ("havannah(board_size=x)", "Wrong type"),
    ("hex(board_size=-3)", "choose another size"), ("y(board_size=0)", "choose another size"),
    ("go(board_size=99)", "up to 19"), ("mnk(m=-1,n=3,k=3)", "another size"),
    ("quoridor(board_size=99)", "38809 actions"), ("clobber(rows=0)", "-1 moves"), (7, "expected a text"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_with_the_reason(name, reason):
    with pytest.raises(GameError) as refused:
        make("openspiel", id=name)
    assert reason in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("text, reason", [
    ("moves: 0 0", "legal are"), ("moves: 0 99", "not legal"), ("moves: -1", "expected a last line"), ("0 1", "moves:"),
    ("...\n...\n..x\nmoves: 0", "what is drawn"), ("moves: 0 1 3 4 6 7", "the game is over"),
    ("moves: " + "9" * 5000, "no such position"),
])  # fmt: skip
def test_texts_that_are_no_position_are_refused(text, reason):
    game = make("openspiel", id="tic_tac_toe")
    with pytest.raises(GameError, match=reason):
        game.parse(text)


def test_moves_alone_are_a_position():
    game = make("openspiel", id="tic_tac_toe")
    np.testing.assert_array_equal(game.parse("moves: 4 0"), game.play(game.reset(1)[0], 4, 0))


@pytest.mark.parametrize("name, moves", [
    ("havannah(board_size=3)", ["a1", "b1"]), ("hive", ["wA1", "bA1wA1/"]), ("nim", ["pile:1,take:1;"]),
])  # fmt: skip
def test_moves_have_the_names_that_openspiel_gives_them(name, moves):
    game = make("openspiel", id=name)
    state = game.reset(1)[0]
    for move in moves:
        names = {game.move_text(state, int(a)): int(a) for a in np.flatnonzero(game.legal(state[None])[0])}
        assert len(names) == game.legal(state[None]).sum()
        state = game.play(state, names[move])


def test_names_tell_games_and_variants_apart():
    names = ["hex(board_size=4)", "hex(board_size=4,swap=True)", "hex(board_size=5)", "nim(pile_sizes=1;2;3)", "nim"]
    titles = {make("openspiel", id=name).title for name in names}
    assert len(titles) == len(names)
    assert {"openspiel-hex-4", "openspiel-hex-swap_True-4"} <= titles


@pytest.mark.parametrize("name", openspiel.PER_CELL)
def test_actions_lie_where_the_piece_stands(name):
    """In the mover's frame, for either player; in Pentago, and there alone, on an empty cell."""
    game, rng = make("openspiel", id=name), np.random.default_rng(5)
    pairs = openspiel.EXCHANGED.get(name, [(0, 1)])
    cells = game.observation_shape[1] * game.observation_shape[2]
    places = game.layout.entries % cells
    assert np.array_equal(np.sort(game.layout.entries), np.arange(game.layout.per_cell * cells))
    states = game.reset(8)
    for _ in range(12):
        masks, planes = game.legal(states), game.observe(states).reshape(len(states), -1, cells)
        for mask, seen, mover in zip(masks, planes, game.to_move(states), strict=True):
            legal = np.flatnonzero(mask[game.views[mover]])
            own, other = (seen[list(side)].sum(0)[places[legal]] for side in zip(*pairs, strict=True))
            assert (own == (name != "pentago")).all() and (other == 0).all()
        game.advance(states, np.where(masks, rng.random(masks.shape), -1).argmax(1))


def test_the_size_is_the_parameter_that_was_given():
    """Hex has board_size and num_rows, each with a default."""
    ids = ("hex(board_size=4)", "hex(num_rows=2,num_cols=2)", "oware(num_houses_per_player=3)", "oware")
    assert [make("openspiel", id=text).size for text in ids] == [4, 2, 3, 6]


@pytest.mark.parametrize("name", ["tic_tac_toe()", "hex(board_size=3)", "checkers()", "gomoku(size=4)"])
def test_games_made_of_others_look_like_them(name):
    """The mover's own pieces first, no connections in Hex, and the legal actions where the observation hides them."""
    one, other = make("openspiel", id=name), make("openspiel", id=f"misere(game={name})")
    assert (one.observation_shape, one.max_length) == (other.observation_shape, other.max_length)
    np.testing.assert_array_equal(one.views, other.views)
    states = one.reset(1), other.reset(1)
    for _ in range(6):
        np.testing.assert_array_equal(one.observe(states[0]), other.observe(states[1]))
        action = one.legal(states[0]).argmax(1)
        for game, state in zip((one, other), states, strict=True):
            game.advance(state, action)


def test_a_smaller_oware_is_exchanged_too():
    game = make("openspiel", id="oware(num_houses_per_player=2,num_seeds_per_house=3)")
    state = game.play(game.reset(1)[0], 0)  # 3 3 3 3 become 0 4 4 4
    own, other = game.observe(state[None])[0, 0, 0, :4].reshape(2, 2)
    assert (own == own[0]).all() and other[0] == 0 and other[1] == own[0]


def test_there_is_no_exact_player():
    with pytest.raises(GameError, match="no exact player"):
        solver(make("openspiel", id="tic_tac_toe"))


def test_a_step_costs_little_more_than_openspiel_itself():
    """At most twice a plain loop that changes its positions in place; wide room here for a busy machine."""
    in_place, _, bridge = compare("havannah(board_size=4)", 64, repeats=10)
    assert bridge < 3 * in_place


def test_openspiel_itself_writes_nothing_beside_the_error(capfd):
    for name in ("hex(colour=3)", "go(board_size=5,handicap=2)"):
        with pytest.raises(GameError, match="OpenSpiel says"):
            make("openspiel", id=name)
    assert capfd.readouterr() == ("", "")


def test_games_that_are_refused_are_not_proposed():
    with pytest.raises(GameError, match="has no game 'kuhn'") as caught:
        make("openspiel", id="kuhn")
    assert "kuhn_poker" not in str(caught.value)


def test_the_command_tells_an_unknown_game_in_one_line():
    ended = subprocess.run([sys.executable, "-m", "games.conformance", "openspiel", "id=havana"],
                           capture_output=True, text=True)  # fmt: skip
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and "havannah" in ended.stderr
