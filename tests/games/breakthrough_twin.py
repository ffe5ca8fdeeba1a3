"""Breakthrough as slowly and plainly as possible: a dict of pieces. The twin of games.breakthrough."""


class SlowBreakthrough:
    """One game; pieces is a dict (row, col) -> player, row 0 on top, where player 0 begins."""

    def __init__(self, rows, columns, home):
        self.rows, self.columns, self.player = rows, columns, 0
        self.pieces = {(row, col): 0 for row in range(home) for col in range(columns)}
        self.pieces |= {(rows - 1 - row, col): 1 for row in range(home) for col in range(columns)}

    def winner(self):
        for player, last in ((0, self.rows - 1), (1, 0)):
            arrived = any(owner == player and row == last for (row, _), owner in self.pieces.items())
            if arrived or 1 - player not in self.pieces.values():
                return player
        return None

    def moves(self):
        """Action -> (from, to)."""
        found = {}
        for (row, col), owner in self.pieces.items():
            for direction in range(3) if owner == self.player and self.winner() is None else ():
                target = (row + (1 if owner == 0 else -1), col + direction - 1)
                there = self.pieces.get(target)
                free = there is None or (there != owner and direction != 1)
                if 0 <= target[1] < self.columns and free:
                    found[(direction * self.rows + row) * self.columns + col] = ((row, col), target)
        return found

    def legal(self):
        return sorted(self.moves())

    def play(self, action):
        begin, end = self.moves()[action]
        del self.pieces[begin]
        self.pieces[end] = self.player
        self.player = 1 - self.player

    def views(self):
        """Own and the opponent's pieces, [2][rows][columns], the mover's side first."""
        order = range(self.rows) if self.player == 0 else range(self.rows - 1, -1, -1)
        return [[[float(self.pieces.get((row, col)) == who) for col in range(self.columns)] for row in order]
                for who in (self.player, 1 - self.player)]  # fmt: skip
