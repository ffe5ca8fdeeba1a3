"""Hex as slowly and plainly as possible: sets of cells, nothing kept between moves. The twin of games.hex."""

EMPTY = "."


class SlowHex:
    """One game; stones is a dict (row, col) -> player."""

    def __init__(self, size, swap=False):
        self.size, self.swap = size, swap
        self.stones, self.moves, self.player = {}, [], 0

    def legal(self):
        if self.winner() is not None:
            return []
        free = [r * self.size + c for r in range(self.size) for c in range(self.size) if (r, c) not in self.stones]
        return free + [self.size**2] * (self.swap and len(self.moves) == 1)

    def play(self, action):
        if action == self.size**2:
            ((row, col),) = self.stones
            self.stones = {(col, row): 1}
        else:
            self.stones[divmod(action, self.size)] = self.player
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
        return {side for side, depth in ((1, 0), (2, self.size - 1)) if depth in depths}

    def winner(self):
        won = {player for cell, player in self.stones.items() if self.sides(cell) == {1, 2}}
        return won.pop() if won else None

    def codes(self):
        """The cells as games.hex documents them: 0, or 1 + player + 2 * edge; 1 for a group that touches both."""
        codes = [0] * self.size**2
        for (row, col), player in self.stones.items():
            edge = min(self.sides((row, col)), default=0)
            codes[row * self.size + col] = 1 + player + 2 * edge
        return codes

    def views(self):
        """Own and the opponent's stones, [2][size][size], turned so that the mover connects top and bottom."""
        planes = [[[0.0] * self.size for _ in range(self.size)] for _ in range(2)]
        for (row, col), player in self.stones.items():
            r, c = (row, col) if self.player == 0 else (col, row)
            planes[int(player != self.player)][r][c] = 1.0
        return planes
