"""k in a row as slowly and plainly as possible, with or without gravity: the twin of mnk and connect_four."""


class SlowRow:
    """One game; stones is a dict (row, col) -> player, row 0 on top."""

    def __init__(self, rows, columns, length, falls):
        self.rows, self.columns, self.length, self.falls = rows, columns, length, falls
        self.stones, self.player = {}, 0

    def lines(self):
        """All sets of `length` cells in a row, column or diagonal."""
        for row in range(self.rows):
            for col in range(self.columns):
                for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                    cells = [(row + i * down, col + i * right) for i in range(self.length)]
                    if all(0 <= r < self.rows and 0 <= c < self.columns for r, c in cells):
                        yield cells

    def winner(self):
        for cells in self.lines():
            owners = {self.stones.get(cell) for cell in cells}
            if len(owners) == 1 and owners != {None}:
                return owners.pop()
        return None

    def legal(self):
        if self.winner() is not None:
            return []
        if self.falls:
            return [col for col in range(self.columns) if (0, col) not in self.stones]
        cells = [(row, col) for row in range(self.rows) for col in range(self.columns)]
        return [action for action, cell in enumerate(cells) if cell not in self.stones]

    def play(self, action):
        if self.falls:
            cell = max(row for row in range(self.rows) if (row, action) not in self.stones), action
        else:
            cell = divmod(action, self.columns)
        self.stones[cell] = self.player
        self.player = 1 - self.player

    def views(self):
        """Own and the opponent's stones, [2][rows][columns]."""
        return [[[float(self.stones.get((row, col)) == who) for col in range(self.columns)] for row in range(self.rows)]
                for who in (self.player, 1 - self.player)]  # fmt: skip
