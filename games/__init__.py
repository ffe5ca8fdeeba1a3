"""Rules of games as kernels over plain arrays; no agents, no networks.

core         the contract: what a game file holds, batches, finding games
compiling    compiled kernels on disk, apart per state of the source
files        files that appear whole or not at all
registry     finding games, networks and strategies by name
tictactoe    the file to copy
hex          Hex at any size, with and without swap
promises     the promises of the contract, one check each
conformance  check_game: every promise of the contract as one named check
exact        exact play: the values of positions and the stubborn perfect player
enumeration  exact play of any small game, all positions looked at
hex_solver   exact play of Hex: hex_bits (bitboards), hex_table, hex_proof (must-play), hex_answers (sets of moves)
exact_store  results of solvers on disk
"""

from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, Symmetries, kernel, make

__all__ = ["HEADER", "OVER", "RESULT", "TO_MOVE", "Game", "GameError", "Rules", "Symmetries", "kernel", "make"]
