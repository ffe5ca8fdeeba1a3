"""Go as slowly and plainly as possible: a dict of stones and a list of all positions. The twin of games.go."""


class SlowGo:
    """One game; stones is a dict (row, col) -> player."""

    def __init__(self, size, komi=7.5, draws=False):
        self.size, self.komi, self.draws = size, komi, draws
        self.stones, self.player, self.moves = {}, 0, []
        self.past = [{}]  # the board after each number of moves

    def near(self, cell):
        row, col = cell
        ways = [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]
        return [(r, c) for r, c in ways if 0 <= r < self.size and 0 <= c < self.size]

    def connected(self, stones, cell):
        """All cells joined to `cell` that hold the same, stone or nothing."""
        found, border = {cell}, [cell]
        while border:
            for other in self.near(border.pop()):
                if other not in found and stones.get(other) == stones.get(cell):
                    found.add(other)
                    border.append(other)
        return found

    def breathes(self, stones, cell):
        return any(other not in stones for member in self.connected(stones, cell) for other in self.near(member))

    def after(self, cell):
        """The board after a stone of the player to move on an empty cell; None if it is suicide."""
        stones = self.stones | {cell: self.player}
        for other in self.near(cell):
            if stones.get(other) == 1 - self.player and not self.breathes(stones, other):
                for member in self.connected(stones, other):
                    del stones[member]
        return stones if self.breathes(stones, cell) else None

    def repeats(self, stones):
        """0 for a new board, 1 for one that is forbidden, 0.5 for one that ends the game as a draw."""
        if stones not in self.past:
            return 0
        return 1 if not self.draws or stones == self.past[-2] else 0.5

    def closed(self):
        """The value of `repeats` for each empty cell where a stone could stay: dict cell -> value."""
        free = [(row, col) for row in range(self.size) for col in range(self.size) if (row, col) not in self.stones]
        after = {cell: self.after(cell) for cell in free}
        return {cell: self.repeats(stones) for cell, stones in after.items() if stones is not None}

    def over(self):
        drawn = self.draws and self.moves and self.moves[-1] != self.size**2 and self.past[-1] in self.past[:-1]
        return drawn or self.moves[-2:] == [self.size**2] * 2 or len(self.moves) == 2 * self.size**2

    def legal(self):
        if self.over():
            return []
        return [r * self.size + c for (r, c), closed in sorted(self.closed().items()) if closed < 1] + [self.size**2]

    def play(self, action):
        if action != self.size**2:
            self.stones = self.after(divmod(action, self.size))
        self.past.append(self.stones)
        self.moves.append(action)
        self.player = 1 - self.player

    def result(self):
        if self.moves[-1] != self.size**2 and self.past[-1] in self.past[:-1]:
            return 0
        lead = -self.komi + sum(1 - 2 * player for player in self.stones.values())
        for row in range(self.size):
            for col in range(self.size):
                if (row, col) not in self.stones:
                    region = self.connected(self.stones, (row, col))
                    owners = {self.stones[o] for cell in region for o in self.near(cell) if o in self.stones}
                    lead += (owners == {0}) - (owners == {1})
        return (lead > 0) - (lead < 0)

    def views(self):
        """Own stones, the opponent's, repetitions, [3][size][size]."""
        planes = [[[0.0] * self.size for _ in range(self.size)] for _ in range(3)]
        for (row, col), player in self.stones.items():
            planes[int(player != self.player)][row][col] = 1.0
        for (row, col), closed in self.closed().items():
            planes[2][row][col] = closed
        return planes
