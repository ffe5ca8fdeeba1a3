"""Rules of games as kernels over plain arrays; no agents, no networks.

core         the contract: what a game file holds, batches, finding games
compiling    compiled kernels on disk, apart per state of the source
files        files that appear whole or not at all
registry     finding games, networks and strategies by name
tictactoe    the file to copy
hex          Hex at any size, with and without swap
connect_four, mnk, breakthrough, othello, y, pentago, go   one file each
openspiel    any two-player game of OpenSpiel's
grid_text    boards as text
promises     the promises of the contract, one check each
conformance  check_game: every promise of the contract as one named check
exact        exact play: the solver of a game, the stubborn perfect player, the command
solving      what a solver answers
enumeration  exact play of any small game, all positions looked at
hex_solver   exact play of Hex: hex_bits (bitboards), hex_fill (cells that need no search), hex_table, hex_proof
             (must-play), hex_answers (sets of moves)
searching    exact play by search: forms (how a game is searched), alpha_beta, stones (positions as bits)
X_solver     exact play of game X; for the other games that have one, a form for `searching`
solve        the command: values of positions by search, also beyond the sizes with a perfect player
exact_store  results of solvers on disk
terminal, stopping   commands and their terminal; being told to stop
"""

import signal
import sys

if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    # A command that is still being loaded, for seconds: Ctrl-C ends it without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, kernel, make

__all__ = ["HEADER", "OVER", "RESULT", "TO_MOVE", "Game", "GameError", "Rules", "Symmetries", "kernel", "make"]
