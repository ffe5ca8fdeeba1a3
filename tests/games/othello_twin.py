"""Othello as slowly and plainly as possible: a dict of discs, nothing kept between moves. The twin of games.othello."""

DIRECTIONS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)]


class SlowOthello:
    """One game; discs is a dict (row, col) -> player."""

    def __init__(self, size):
        self.size, self.player = size, 0
        low, high = size // 2 - 1, size // 2
        self.discs = {(low, low): 1, (low, high): 0, (high, low): 0, (high, high): 1}

    def turned(self, cell, player):
        """The discs that a disc of `player` on `cell` turns over."""
        if cell in self.discs:
            return []
        found = []
        for down, right in DIRECTIONS:
            line = []
            row, col = cell[0] + down, cell[1] + right
            while self.discs.get((row, col)) == 1 - player:
                line.append((row, col))
                row, col = row + down, col + right
            if (row, col) in self.discs:
                found += line
        return found

    def options(self, player):
        cells = [(row, col) for row in range(self.size) for col in range(self.size)]
        return [row * self.size + col for row, col in cells if self.turned((row, col), player)]

    def legal(self):
        own = self.options(self.player)
        return own or ([self.size**2] if self.options(1 - self.player) else [])

    def play(self, action):
        if action != self.size**2:
            cell = divmod(action, self.size)
            for disc in [*self.turned(cell, self.player), cell]:
                self.discs[disc] = self.player
        self.player = 1 - self.player

    def result(self):
        lead = sum(1 - 2 * player for player in self.discs.values())
        return (lead > 0) - (lead < 0)

    def views(self):
        """Own and the opponent's discs, [2][size][size]."""
        planes = [[[0.0] * self.size for _ in range(self.size)] for _ in range(2)]
        for (row, col), player in self.discs.items():
            planes[int(player != self.player)][row][col] = 1.0
        return planes
