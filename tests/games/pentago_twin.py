"""Pentago as slowly and plainly as possible: stones in a dict, nothing kept between moves; twin of games.pentago."""

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


class SlowPentago:
    """One game; stones is a dict (row, col) -> player."""

    def __init__(self):
        self.stones, self.player = {}, 0

    def fives(self):
        """The players who have five in a row."""
        lines = [
            [(row + i * down, col + i * right) for i in range(5)]
            for row in range(6)
            for col in range(6)
            for down, right in STEPS
        ]
        found = [{self.stones.get(cell) for cell in line} for line in lines]
        return {player for player in (0, 1) if {player} in found}

    def over(self):
        return bool(self.fives()) or len(self.stones) == 36

    def legal(self):
        free = [cell for cell in range(36) if divmod(cell, 6) not in self.stones]
        return [] if self.over() else [cell * 8 + turn for cell in free for turn in range(8)]

    def play(self, action):
        cell, turn = divmod(action, 8)
        self.stones[divmod(cell, 6)] = self.player
        self.turn(*((0, 0), (0, 3), (3, 3), (3, 0))[turn // 2], clockwise=turn % 2 == 1)
        self.player = 1 - self.player

    def turn(self, top, left, clockwise):
        quarter = [[self.stones.pop((top + row, left + col), None) for col in range(3)] for row in range(3)]
        for row in range(3):
            for col in range(3):
                owner = quarter[2 - col][row] if clockwise else quarter[col][2 - row]
                if owner is not None:
                    self.stones[top + row, left + col] = owner

    def result(self):
        return (0 in self.fives()) - (1 in self.fives())

    def views(self):
        """Own and the opponent's stones, [2][6][6]."""
        planes = [[[0.0] * 6 for _ in range(6)] for _ in range(2)]
        for (row, col), player in self.stones.items():
            planes[int(player != self.player)][row][col] = 1.0
        return planes
