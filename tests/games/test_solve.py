"""Exact play of any game by alpha-beta: known values, plain minimax, enumeration. test_solve_players.py goes on.

python -m tests.games.solve_speed      the table of docs/exact.md, and 1,000 games of each perfect player
"""

import functools
import os
import re

import numpy as np
import pytest
from boards import choose, random_positions
from searches import SLOTS, search

from games import make
from games.enumeration import Enumeration
from games.exact import ILLEGAL, prover_of
from games.forms import form_of
from games.searching import Search
from tests.games.breakthrough_twin import SlowBreakthrough
from tests.games.row_twin import SlowRow
from tests.games.y_twin import SlowY

pytestmark = pytest.mark.usefixtures("cache")

ALL_SOLVED = bool(os.environ.get("ISOELO_PUBLISHED"))  # all positions that others have solved: minutes


# ---- known values --------------------------------------------------------------------------------------------------

KNOWN = [
    # Connect Four, rows x columns: J. Tromp's table, continued by C. Steininger (github.com/ChristopheSteininger/c4).
    ("connect_four", {"rows": 4, "columns": 4}, 0),
    ("connect_four", {"rows": 5, "columns": 4}, 0),
    ("connect_four", {"rows": 6, "columns": 4}, 0),
    ("connect_four", {"rows": 4, "columns": 5}, 0),
    ("connect_four", {"rows": 4, "columns": 6}, -1),
    ("connect_four", {"rows": 5, "columns": 5}, 0),
    # k in a row: W. Uiterwijk, H. J. van den Herik, Information Sciences 122, 2000, and the articles named there.
    ("mnk", {"rows": 3, "columns": 3, "k": 3}, 0),
    ("mnk", {"rows": 3, "columns": 4, "k": 3}, 1),
    ("mnk", {"rows": 4, "columns": 3, "k": 3}, 1),
    ("mnk", {"rows": 2, "columns": 9, "k": 3}, 0),
    ("mnk", {"rows": 4, "columns": 4, "k": 4}, 0),
    # By enumeration in tests/games/test_othello.py: player 1 wins by 8 discs.
    ("othello", {"size": 4}, -1),
    # J. Nash's argument: an extra stone never harms.
    ("y", {"size": 2}, 1),
    ("y", {"size": 3}, 1),
    ("y", {"size": 4}, 1),
    # The common game.
    ("tictactoe", {}, 0),
]


@pytest.mark.parametrize("name, settings, value", KNOWN)
def test_known_values(name, settings, value):
    exact = search(name, **settings)
    assert exact.values(exact.game.reset(1))[0] == value


# ---- solved positions ----------------------------------------------------------------------------------------------

# Connect Four 6 x 7: columns played, and what the player to move gets. P. Pons, Solving Connect 4: How to Build a
# Perfect AI, blog.gamesolver.org, 2015: of his sets of test positions, whose scores count moves.
PONS = """2252576253462244111563365343671351441 -1, 7422341735647741166133573473242566 1,
23163416124767223154467471272416755633 0, 65214673556155731566316327373221417 -1, 3575316255751336464276636772271112 -1,
12514726155174536522772517671 -1, 326615663752621323655335514271 1, 24617524315172127 1,
74425337641465475671176741236615215533 0, 34441157374153736716346556774311552222 0, 43745416472735 -13,
7172212567451542223676134464437761515 0, 42434653771434 9, 43623536647361 11, 17516442226766 8, 27534134362633 10,
51756773145177 -10, 1626434452343 13, 7343363417254 14, 5512243243536 13, 243335424257 12"""
MORE_PONS = """1562527227511 13, 6513243566177 12, 6126741462153 14, 165746146225 -11, 427631264721 10,
543772563551 14, 335662333565 -2, 157564142155 -5, 22144426444 15, 65444437612 13, 74746315233 15, 74642572132 15,
33375546411 -12, 5654767662 13, 7234472553 10, 7675456251 13, 265756512 -12, 32164625 11, 35544262 12, 51615567 15"""


def test_positions_of_connect_four_that_others_have_solved():
    exact = prover_of(make("connect_four"), slots=1 << 22 if ALL_SOLVED else SLOTS)
    for line in (PONS + (", " + MORE_PONS) * ALL_SOLVED).split(","):
        columns, score = line.split()
        state = exact.game.play(exact.game.reset(1)[0], *(int(column) - 1 for column in columns))
        assert exact.values(state[None])[0] == np.sign(int(score)), line


# Positions of Connect Four 5 x 5 and 5 x 6 after so many plies that are won, drawn and lost for the player to move.
# M. Böck, Strongly Solving Connect-Four on Consumer Grade Hardware, arXiv 2507.05267, 2025 (github.com/markus7800).
AFTER_PLIES = {
    5: [(0, 1, 0), (0, 5, 0), (10, 15, 0), (12, 73, 10), (196, 139, 10), (213, 625, 237), (1985, 1146, 219),
        (2670, 4002, 2683), (15432, 6863, 2765)],
    6: [(0, 1, 0), (0, 6, 0), (20, 16, 0), (28, 96, 32), (420, 202, 29), (650, 968, 638)],
}  # fmt: skip


@pytest.mark.parametrize("columns", [5, 6] if ALL_SOLVED else [5])
def test_all_early_positions_of_connect_four_as_others_have_solved_them(columns):
    exact = prover_of(make("connect_four", rows=5, columns=columns), slots=1 << (24 if ALL_SOLVED else 20))
    states = exact.game.reset(1)
    for ply, expected in enumerate(AFTER_PLIES[columns]):
        if ALL_SOLVED or ply == 4:
            assert tuple((exact.values(states) == value).sum() for value in (1, 0, -1)) == expected
        rows, actions = np.nonzero(exact.game.legal(states))
        states = states[rows]
        exact.game.advance(states, actions)
        states = np.unique(states, axis=0)


# Othello 8 x 8: disc differences that the moves lead to. Positions 20 to 25 of the French Othello Federation's endgame
# test, as R. Delorme's Edax has them (github.com/abulmo/edax-reversi, problem/fforum-20-39.obf).
ENDGAMES = """
XXXOXXXXOXXXXXXXOOXXXXXXOOOXXXXXOOOXXOO-OOOOO---OOOOOOO-OOOOOOO- X; H5:+6; G6:-2; F6:-4; H6:-10
OOOOOOOOXOOXXX--XXOOXOO-XOXOOO--XOOOOX--XOOXOO--XOOOOO--XXXX---- O; G5:+0; G2:-2; G4:-4; G6:-6
"""
MORE_ENDGAMES = """
--OOOO--X-OOOOO-XXOOXOXXXOXOXXXXXXXOXXXX-XXOXOXX--OXXX-X----X--- O; G8:+2; A6:+0; F8:-4; A7:-4; H2:-4; B2:-6; D8:-8;
B7:-14; G7:-26
--O-------OOX---OOOXXXO-OOOOXOXXXXXOOXOXXXXXXOOXX-XXXXOX--XXXX-- X; A2:+4; D1:-20; H3:-20; B1:-30; G2:-30; E1:-30;
F2:-34; G8:-34; B2:-36; H2:-38
--O--O-----OOOX--X-XOXOO--XXXOOOXXXXOOOOXXXOXXOOXXXXXX--XOXX-O-- O; C3:+0; B4:-4; C2:-8; E8:-12; G7:-14; H2:-16; G1:-24
----X------XXXO--OOOXXXXXOOOOXXO-XXOOXXOOOXOXXXXOOOXX---X-XXXX-- O; G1:+0; A5:+0; F1:-4; D1:-6; F7:-8; C2:-10; G7:-10;
H2:-12; H7:-16
"""


def test_endgames_of_othello_that_others_have_solved():
    exact = search("othello", size=8)
    game = exact.game
    for number, text in enumerate(re.split(r"\n(?=\S{64})", ENDGAMES + MORE_ENDGAMES * ALL_SOLVED)[1:]):
        (cells, mover), *moves = (word.split() for word in text.split(";"))
        marks = cells.translate(str.maketrans("XO-", "xo."))
        rows = [f"{row + 1} {' '.join(marks[8 * row : 8 * row + 8])}" for row in range(8)]
        state = game.parse("\n".join(["a b c d e f g h", *rows, f"{mover.lower()} to move"]))
        expected = {name.lower(): np.sign(int(score)) for (move,) in moves for name, score in [move.split(":")]}
        values = exact.action_values(state[None])[0]
        found = {game.action_text(int(action)): values[action] for action in np.flatnonzero(values != ILLEGAL)}
        assert found == expected, number


# ---- twins ---------------------------------------------------------------------------------------------------------


def slow_row(game):
    return SlowRow(
        game.rows, game.columns, game.settings.get("k") or game.settings["connect"], "connect" in game.settings
    )


def slow_value(twin, result):
    """Value for the player to move by plain minimax over a slow twin, each position once."""
    memory = {}

    def value(game):
        key = (
            *sorted(vars(game).get("stones", vars(game).get("pieces", vars(game).get("discs"))).items()),
            game.player,
        )
        if key not in memory:
            moves = game.legal()
            memory[key] = max((-value(after(game, move)) for move in moves), default=None)
            if not moves:
                memory[key] = result(game) * (1 - 2 * game.player)
        return memory[key]

    def after(game, move):
        child = type(game).__new__(type(game))
        vars(child).update({name: dict(v) if isinstance(v, dict) else v for name, v in vars(game).items()})
        child.play(move)
        return child

    return value(twin), len(memory)


def sign(winner):
    return 0 if winner is None else 1 - 2 * winner


TWINS = [
    ("connect_four", {"rows": 3, "columns": 3, "connect": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("connect_four", {"rows": 2, "columns": 4, "connect": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("mnk", {"rows": 2, "columns": 4, "k": 3}, slow_row, lambda twin: sign(twin.winner())),
    ("mnk", {"rows": 3, "columns": 3, "k": 2}, slow_row, lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 3, "columns": 2}, lambda g: SlowBreakthrough(3, 2, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 3, "columns": 3}, lambda g: SlowBreakthrough(3, 3, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 4, "columns": 2}, lambda g: SlowBreakthrough(4, 2, 1), lambda twin: sign(twin.winner())),
    ("breakthrough", {"rows": 4, "columns": 2, "home": 2}, lambda g: SlowBreakthrough(4, 2, 2),
     lambda twin: sign(twin.winner())),
    ("y", {"size": 3}, lambda g: SlowY(3), lambda twin: sign(twin.winner())),
]  # fmt: skip


@pytest.mark.parametrize("name, settings, twin, result", TWINS)
def test_values_agree_with_plain_minimax_of_the_twins(name, settings, twin, result):
    exact = search(name, **settings)
    value, positions = slow_value(twin(exact.game), result)
    assert positions > 10
    assert exact.values(exact.game.reset(1))[0] == value


def test_openspiel_agrees_on_breakthrough():
    """Plain minimax over OpenSpiel's own states, memory by its text of the position."""
    pyspiel = pytest.importorskip("pyspiel")
    for rows, columns in ((4, 2), (3, 3), (4, 3)):
        memory = {}

        def value(state, memory=memory):
            key = str(state)
            if key not in memory:
                if state.is_terminal():
                    memory[key] = int(state.returns()[0])
                else:
                    pick = max if state.current_player() == 0 else min
                    memory[key] = pick(value(state.child(action)) for action in state.legal_actions())
            return memory[key]

        expected = value(pyspiel.load_game(f"breakthrough(rows={rows},columns={columns})").new_initial_state())
        exact = search("breakthrough", rows=rows, columns=columns)
        assert exact.values(exact.game.reset(1))[0] == expected and len(memory) > 50


ENUMERATED = [
    ("connect_four", {"rows": 3, "columns": 4, "connect": 3}),
    ("mnk", {"rows": 3, "columns": 3, "k": 3}),
    ("breakthrough", {"rows": 4, "columns": 3}),
    ("othello", {"size": 4}),
    ("y", {"size": 3}),
    ("tictactoe", {}),
]


@functools.cache
def enumerated(name, settings):
    return Enumeration(make(name, **dict(settings)))


@pytest.mark.parametrize("name, settings", ENUMERATED)
def test_enumeration_agrees(name, settings):
    """On all positions of small games, on a sample of larger ones: values, action values, the stubborn choice."""
    twin = enumerated(name, tuple(settings.items()))
    exact = search(name, **settings)
    states = twin.graph.states
    if len(states) > 3000:
        states = np.concatenate([states[:50], np.random.default_rng(0).permutation(states)[:2000]])
    assert (exact.values(states) == twin.values(states)).all()
    assert (exact.action_values(states) == twin.action_values(states)).all()
    assert (exact.perfect_moves(states) == twin.perfect_moves(states)).all()


FORMS = [
    ("connect_four", {"rows": 4, "columns": 5}, 8),
    ("connect_four", {"rows": 5, "columns": 4}, 8),
    ("mnk", {"rows": 4, "columns": 4, "k": 4}, 4),
    ("mnk", {"rows": 3, "columns": 5, "k": 3}, 2),
    ("breakthrough", {"rows": 4, "columns": 4}, 2),
    ("breakthrough", {"rows": 5, "columns": 3}, 2),
]


ALL_FORMS = bool(os.environ.get("ISOELO_ALL_FORMS"))  # two more searches to compile, 20 s


@pytest.mark.parametrize("name, settings, low", FORMS if ALL_FORMS else FORMS[:2])
def test_forms_of_their_own_agree_with_the_rules(name, settings, low):
    """Bits, pruning and symmetries against a search over the game's own rules that keeps all states apart."""
    exact = search(name, **settings)
    game = exact.game
    plain = Search(game, form_of(game, look_alike=False), slots=SLOTS)
    states = random_positions(game, 300, np.random.default_rng(1), low, low + 8)
    assert len(states) > 100 and len(np.unique(exact.values(states))) > 1
    assert (exact.action_values(states) == plain.action_values(states)).all()
    assert (exact.perfect_moves(states) == plain.perfect_moves(states)).all()


@pytest.mark.parametrize("name, settings", [(name, settings) for name, settings, _ in FORMS])
def test_forms_play_as_the_rules_do(name, settings):
    """Legal actions, turns and ends of random games, and one key for all symmetric positions and for nothing else."""
    game = make(name, **settings)
    form = prover_of(game, slots=SLOTS)._form
    rng, keys, planes = np.random.default_rng(2), {}, np.zeros(game.observation_shape, np.float32)
    for _ in range(30):
        state = game.reset(1)
        row = form.pack(state)[0]
        while True:
            assert (row == form.pack(state)[0]).all()
            if game.over(state)[0]:
                break
            mask = np.zeros(game.num_actions, np.bool_)
            form.legal(row, form.params, mask)
            assert (mask == game.legal(state)[0]).all()
            seen = game.observe(state)[0].reshape(game.observation_shape[0], -1)
            turned = min(seen[:, cells].tobytes() for cells in game.symmetries.cells)
            keys.setdefault(turned, set()).add(int(form.key(row, form.params, form.words, planes)))
            action = int(choose(mask[None], rng)[0])
            form.apply(row, form.params, action)
            game.advance(state, np.array([action]))
    assert all(len(found) == 1 for found in keys.values())
    assert len(set.union(*keys.values())) == len(keys) > 50
