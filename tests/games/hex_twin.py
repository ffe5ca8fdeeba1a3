"""Hex as slowly and plainly as possible: sets of cells, nothing kept between moves. The twin of games.hex."""

EMPTY = "."


class SlowHex:
    """One game; stones is a dict (row, col) -> player."""

    def __init__(self, rows, swap=False, columns=None):
        self.rows, self.columns, self.swap = rows, columns or rows, swap
        self.stones, self.moves, self.player = {}, [], 0

    def legal(self):
        if self.winner() is not None:
            return []
        cells = [(r, c) for r in range(self.rows) for c in range(self.columns)]
        free = [action for action, cell in enumerate(cells) if cell not in self.stones]
        return free + [len(cells)] * (self.swap and len(self.moves) == 1)

    def play(self, action):
        if action == self.rows * self.columns:
            ((row, col),) = self.stones
            self.stones = {(col, row): 1}
        else:
            self.stones[divmod(action, self.columns)] = self.player
        self.moves.append(action)
        self.player = 1 - self.player

    def neighbours(self, cell):
        row, col = cell
        return [(row - 1, col), (row - 1, col + 1), (row, col - 1), (row, col + 1), (row + 1, col - 1), (row + 1, col)]

    def group(self, cell):
        """All cells that stones of one colour connect with `cell`."""
        group, border = {cell}, [cell]
        while border:
            for other in self.neighbours(border.pop()):
                if other not in group and self.stones.get(other) == self.stones[cell]:
                    group.add(other)
                    border.append(other)
        return group

    def sides(self, cell):
        """The sides of its player that the group of `cell` touches: a subset of {1, 2}."""
        depths = {other[self.stones[cell]] for other in self.group(cell)}
        far = (self.rows, self.columns)[self.stones[cell]] - 1
        return {side for side, depth in ((1, 0), (2, far)) if depth in depths}

    def winner(self):
        won = {player for cell, player in self.stones.items() if self.sides(cell) == {1, 2}}
        return won.pop() if won else None

    def codes(self):
        """The cells as games.hex documents them: 0, or 1 + player + 2 * edge; 1 for a group that touches both."""
        codes = [0] * self.rows * self.columns
        for (row, col), player in self.stones.items():
            edge = min(self.sides((row, col)), default=0)
            codes[row * self.columns + col] = 1 + player + 2 * edge
        return codes

    def views(self):
        """Own and the opponent's stones, [2][rows][columns]; on squares the mover connects top and bottom."""
        planes = [[[0.0] * self.columns for _ in range(self.rows)] for _ in range(2)]
        for (row, col), player in self.stones.items():
            r, c = (col, row) if self.player == 1 and self.rows == self.columns else (row, col)
            planes[int(player != self.player)][r][c] = 1.0
        return planes
