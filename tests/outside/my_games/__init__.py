"""A package outside the collection, as docs/adding_a_game.md writes it: a game, its solver, a network, a strategy."""
