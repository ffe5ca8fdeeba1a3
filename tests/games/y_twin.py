"""Y as slowly and plainly as possible: sets of cells, nothing kept between moves. The twin of games.y."""


class SlowY:
    """One game; stones is a dict (row, col) -> player."""

    def __init__(self, size):
        self.size, self.stones, self.player = size, {}, 0
        self.cells = [(row, col) for row in range(size) for col in range(size) if row + col < size]

    def legal(self):
        if self.winner() is not None:
            return []
        return [row * self.size + col for row, col in self.cells if (row, col) not in self.stones]

    def play(self, action):
        self.stones[divmod(action, self.size)] = self.player
        self.player = 1 - self.player

    def touching(self, one, other):
        """Whether two cells are neighbours: with (row, col, rest) adding up, one part falls by one and one rises."""
        steps = (one[0] - other[0], one[1] - other[1], sum(other) - sum(one))
        return sorted(steps) == [-1, 0, 1]

    def group(self, cell):
        group, border = {cell}, [cell]
        while border:
            here = border.pop()
            for other in set(self.stones) - group:
                if self.stones[other] == self.stones[cell] and self.touching(here, other):
                    group.add(other)
                    border.append(other)
        return group

    def sides(self, cell):
        """Of left (1), top (2) and right (4), those that the group of `cell` touches, added up."""
        group = self.group(cell)
        left, top = any(col == 0 for _, col in group), any(row == 0 for row, _ in group)
        return left + 2 * top + 4 * any(sum(cell) == self.size - 1 for cell in group)

    def winner(self):
        won = {player for cell, player in self.stones.items() if self.sides(cell) == 7}
        return won.pop() if won else None

    def codes(self):
        """The cells as games.y documents them: -1 outside, 0, or 1 + player + 2 * sides."""
        codes = [0 if row + col < self.size else -1 for row in range(self.size) for col in range(self.size)]
        for (row, col), player in self.stones.items():
            codes[row * self.size + col] = 1 + player + 2 * self.sides((row, col))
        return codes

    def views(self):
        """Own and the opponent's stones, [2][size][size]."""
        planes = [[[0.0] * self.size for _ in range(self.size)] for _ in range(2)]
        for (row, col), player in self.stones.items():
            planes[int(player != self.player)][row][col] = 1.0
        return planes
