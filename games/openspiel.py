"""OpenSpiel's games under this contract: `make("openspiel", id="havannah(board_size=4)")`.

Rules     those of `pyspiel.load_game(id)`: two players, in turns, nothing hidden, no chance, a result at the end only
State     the moves so far: how many, then OpenSpiel's numbers of them. OpenSpiel's own positions are kept by history in
          a bounded memory of this process and made again where they fell out of it
Players   player 0 is who moves first; in OpenSpiel's chess and its kin that is player 1
Result    the sign of what the first player gets, whatever the size of the score
Actions   OpenSpiel's
Planes    OpenSpiel's observation of the mover, as [P, H, W]; numbers in one row become [1, 1, N], planes in two
          dimensions [P, 1, N]. Where it does not depend on who looks, what belongs to the players is exchanged for
          OpenSpiel's player 1 (see EXCHANGED), so that the mover's stands where player 0's does for player 0, and a
          plane is added that holds OpenSpiel's number of the mover. Boards of Chess and its kin, Checkers and Twixt are
          turned for one player (see games.openspiel_views), others are not. Hex shows stones only, not which of them
          are connected (plain_obs_tensor). See LEGAL_SHOWN too
Symmetry  identity only
Longest   OpenSpiel's max_game_length
Text      OpenSpiel's drawing, then the moves, by which `parse` finds the position
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
import pyspiel
from open_spiel.python.observation import make_observation

from games.core import HEADER, OVER, RESULT, TO_MOVE, Game, GameError, Rules, kernel
from games.openspiel_games import describe, load, longest
from games.openspiel_views import HALF_TURNS, MIRRORED, marks, second_actions, second_board

LENGTH, HISTORY = HEADER, HEADER + 1  # words of the state: the number of moves, the moves
KEPT = 1 << 13  # positions in each of the two halves of the memory of a game; a position takes 1 to 14 KB


def _pairs(begin: int, count: int, apart: int = 1) -> list[tuple[int, int]]:
    """`count` pairs of planes, `apart` from each other; neighbours alternate, others stand in two blocks."""
    return [(begin + k * (2 if apart == 1 else 1), begin + k * (2 if apart == 1 else 1) + apart) for k in range(count)]


EXCHANGED = {
    "amazons": [(1, 2)],
    "antichess": _pairs(0, 6),
    "breakthrough": [(0, 1)],
    "checkers": _pairs(0, 2, 2),
    "chess": [*_pairs(0, 6), *_pairs(16, 2, 2)],
    "connect_four": [(0, 1)],
    "crazyhouse": [*_pairs(0, 10), *_pairs(24, 2, 2), *_pairs(28, 5, 5)],
    "cursor_go": [(0, 1)],
    "dots_and_boxes": [(1, 2)],
    "go": [(0, 1)],
    "gomoku": [(0, 1)],
    "hex": [(0, 1)],
    "lines_of_action": [(0, 1)],
    "mancala": _pairs(0, 7, 7),
    "mnk": [(1, 2)],
    "nine_mens_morris": [(0, 1), (3, 4)],
    "oware": [*_pairs(0, 6, 6), (12, 13)],
    "quoridor": [(0, 1), (3, 4)],
    "shogi": [*_pairs(0, 14), *_pairs(31, 7, 7)],
    "tic_tac_toe": [(1, 2)],
    "twixt": _pairs(0, 6, 6),
    "xiangqi": _pairs(0, 7, 7),
}
"""Planes (entries, where all stand in one row) that belong to one player each, of observations that both share."""

LEGAL_SHOWN = ("amazons", "checkers", "hive", "nine_mens_morris", "quoridor")
"""Games whose observation leaves open what may be played next (half a move was made, a wall is in the way): the legal
actions become planes too, as many as they need. So do those of Havannah with swap."""

# ---- the rules, over one position ----------------------------------------------------------------------------------
# params[0] is the number of the game in GAMES of this process. Only reset is compiled.


@kernel
def reset(state, params):
    state[:] = 0


def legal(state, params, mask):
    GAMES[params[0]].legal(state[None], mask[None])


def apply(state, params, action):
    GAMES[params[0]].advance(state[None], np.array([action]))


def observe(state, params, planes):
    GAMES[params[0]].observe(state[None], planes[None])


# ---- over batches --------------------------------------------------------------------------------------------------


class Positions:
    """A game of OpenSpiel with its positions by history. A history is int16 words as bytes."""

    def __init__(self, game: pyspiel.Game):
        self.game = game
        self.name = game.get_type().short_name
        self.initial = game.new_initial_state()
        self.first = self.initial.current_player()  # OpenSpiel's number of our player 0
        self.observation = make_observation(game)
        self.shared = self._seen_alike()
        self.shape = self._shape()
        self.actions = game.num_distinct_actions()
        self.exchange = self._exchange(None)
        self.views = self._turn()
        cells = self.shape[1] * self.shape[2]
        shown = self.name in LEGAL_SHOWN or (self.name == "havannah" and game.get_parameters()["swap"])
        self.legal_planes = -(-self.actions // cells) if shown else 0
        self._young: dict[bytes, pyspiel.State] = {}
        self._old: dict[bytes, pyspiel.State] = {}

    def legal(self, states: np.ndarray, masks: np.ndarray) -> None:
        self.write_masks([self._at(history) for history in self._histories(states)], masks)

    def observe(self, states: np.ndarray, planes: np.ndarray) -> None:
        self.write_planes([self._at(history) for history in self._histories(states)], states, planes)

    def advance(self, states: np.ndarray, actions: np.ndarray) -> list[pyspiel.State]:
        """Play `actions` in `states` [B, S]; returns the positions reached."""
        movers, lengths = states[:, TO_MOVE].tolist(), states[:, LENGTH]
        if len(states) and lengths.max() >= states.shape[1] - HISTORY:
            raise GameError(f"{self.game}: a game went on after {lengths.max()} moves, OpenSpiel's longest")
        children = list(self._children(states, actions))
        players = np.array([child.current_player() for child in children], np.int64)
        over = players < 0
        states[:, TO_MOVE] = np.where(over, 1 - np.array(movers, np.int64), players ^ self.first)
        states[:, OVER] = over
        for b in np.flatnonzero(over):
            states[b, RESULT] = np.sign(children[b].returns()[self.first])
        states[np.arange(len(states)), HISTORY + lengths] = actions
        states[:, LENGTH] += 1
        return children

    def write_masks(self, positions: list[pyspiel.State], masks: np.ndarray) -> None:
        counts, actions = [], array("i")
        for position in positions:
            legal = position.legal_actions()
            counts.append(len(legal))
            actions.extend(legal)
        masks[:] = False
        masks[np.repeat(np.arange(len(positions)), counts), np.frombuffer(actions, np.int32)] = True

    def write_planes(self, positions: list[pyspiel.State], states: np.ndarray, planes: np.ndarray) -> None:
        tensor, players = self.observation.tensor, states[:, TO_MOVE].astype(np.int64) ^ self.first
        seen = np.empty((len(positions), len(tensor)), np.float32)
        for b, (position, player) in enumerate(zip(positions, players.tolist(), strict=True)):
            self.observation.set_from(position, player)
            seen[b] = tensor
        if self.exchange is not None:
            second = players == 1
            seen[second] = seen[second][:, self.exchange]
        count = self.shape[0]
        planes[:, :count] = seen.reshape(len(seen), *self.shape)
        if self.shared:
            planes[:, count] = players[:, None, None]
        if self.legal_planes:
            masks = np.zeros((len(planes), self.legal_planes * self.shape[1] * self.shape[2]), np.bool_)
            self.write_masks(positions, masks)
            seen_as = self.views[states[:, TO_MOVE]]
            masks[:, : self.actions] = np.take_along_axis(masks, seen_as, 1)
            planes[:, -self.legal_planes :] = masks.reshape(-1, self.legal_planes, *self.shape[1:])

    # ---- memory ----------------------------------------------------------------------------------------------------

    def _histories(self, states: np.ndarray) -> Iterator[bytes]:
        data = memoryview(np.ascontiguousarray(states, np.int16).tobytes())
        width, begin = 2 * states.shape[1], 2 * HISTORY
        for b, length in enumerate(states[:, LENGTH].tolist()):
            yield bytes(data[b * width + begin : b * width + begin + 2 * length])

    def _children(self, states, actions):
        moves = np.asarray(actions, np.int16).tobytes()
        for b, (history, action) in enumerate(zip(self._histories(states), actions.tolist(), strict=True)):
            longer = history + moves[2 * b : 2 * b + 2]
            child = self._find(longer)
            if child is None:
                child = self._at(history).clone()
                child.apply_action(action)
                self._keep(longer, child)
            yield child

    def _at(self, history: bytes) -> pyspiel.State:
        """The position after `history`. It is shared: nobody may change it."""
        found = self._find(history)
        if found is None:
            found = self.initial.clone()
            for action in np.frombuffer(history, np.int16).tolist():
                found.apply_action(action)
            self._keep(history, found)
        return found

    def _find(self, history):
        found = self._young.get(history)
        if found is None and (found := self._old.get(history)) is not None:
            self._keep(history, found)
        return found

    def _keep(self, history, position):
        """What was not asked for while KEPT others were is forgotten."""
        self._young[history] = position
        if len(self._young) >= KEPT:
            self._old, self._young = self._young, {}

    def forget(self) -> None:
        """Empty the memory."""
        self._young, self._old = {}, {}

    # ---- what it looks like ----------------------------------------------------------------------------------------

    def _seen_alike(self) -> bool:
        """Whether both players see the same; told by the position after one move."""
        position = self.initial.child(self.initial.legal_actions()[0])
        views = []
        for player in (0, 1):
            self.observation.set_from(position, player)
            views.append(self.observation.tensor.copy())
        return bool((views[0] == views[1]).all())

    def _shape(self) -> tuple[int, int, int]:
        shape = self.game.observation_tensor_shape()
        side = self.game.get_parameters().get("size", 0)
        if len(shape) == 2:  # gomoku, which has any number of dimensions
            return (shape[0], side, side) if shape[1] == side**2 else (shape[0], 1, shape[1])
        return tuple(shape) if len(shape) == 3 else (1, 1, int(np.prod(shape)))  # type: ignore[return-value]

    def _exchange(self, turn: np.ndarray | None) -> np.ndarray | None:
        """Where each entry comes from when OpenSpiel's player 1 looks; None: as it stands.

        turn: where each cell of the opponent's planes comes from.
        """
        if not self.shared or self.name not in EXCHANGED:
            return None
        entries = np.arange(len(self.observation.tensor)).reshape(self.game.observation_tensor_shape()[0], -1)
        straight = entries.copy()
        for one, other in EXCHANGED[self.name]:
            entries[one], entries[other] = straight[other], straight[one] if turn is None else straight[one, turn]
        return entries.ravel()

    def _turn(self) -> np.ndarray:
        """What player p sees as action j, [2, A]; turns what player 1 sees of the board with its actions."""
        views = np.stack([np.arange(self.actions)] * 2)
        if self.name in MIRRORED and self.exchange is not None:
            self.exchange = self.exchange.reshape(self.shape)[:, ::-1].ravel()
            return views
        if self.name in HALF_TURNS and self.exchange is not None:
            views[1] = HALF_TURNS[self.name](views[0], self.shape[1] * self.shape[2])
            self.exchange = self.exchange.reshape(self.shape)[:, ::-1, ::-1].ravel()
            return views
        found = marks(self.initial, self._look, self.actions)
        if self.first:
            found = found[::-1, ::-1]
        own, other = found[[0, 1], [0, 1]], found[[1, 0], [0, 1]]
        if (view := second_actions(own)) is not None:
            views[1] = view
            self.exchange = self._exchange(second_board(other, own, view, self.shape[1:]))
        return views

    def _look(self, position: pyspiel.State, player: int) -> np.ndarray:
        """What OpenSpiel's `player` sees, [entries]."""
        self.observation.set_from(position, player)
        exchanged = player == 1 and self.exchange is not None
        return self.observation.tensor[self.exchange] if exchanged else self.observation.tensor.copy()


GAMES: list[Positions] = []
_NUMBERS: dict[str, int] = {}


def number_of(game: pyspiel.Game) -> int:
    """The number of a game in GAMES; equal games share one."""
    key = str(game)
    if key not in _NUMBERS:
        GAMES.append(Positions(game))
        _NUMBERS[key] = len(GAMES) - 1
    return _NUMBERS[key]


class OpenSpiel(Game):
    """A game of OpenSpiel; `id` is what `pyspiel.load_game` takes."""

    can_draw = True
    rules = Rules(reset, legal, apply, observe)

    def __init__(self, id: str = "havannah(board_size=4)"):
        if not isinstance(id, str):
            raise GameError(f"openspiel: id={id!r} cannot be: expected a text such as 'havannah(board_size=4)'")
        game = load(id)
        self.id = str(pyspiel.load_game(id))
        self.name, size = describe(self.id, game)
        number = number_of(game)
        self.positions = GAMES[number]
        planes, height, width = self.positions.shape
        planes += self.positions.shared + self.positions.legal_planes
        super().__init__(
            settings={"id": self.id}, size=height if size is None else size, params=[number],
            state_words=HISTORY + longest(game), num_actions=game.num_distinct_actions(),
            observation_shape=(planes, height, width), max_length=longest(game),
            views=self.positions.views,
        )  # fmt: skip

    @property
    def title(self):
        return f"{self.name}-{self.size}"

    @property
    def openspiel_id(self):
        return self.id

    # ---- batches ---------------------------------------------------------------------------------------------------

    def step(self, states, actions, legal, planes):
        reached = self.positions.advance(states, actions)
        self.positions.write_masks(reached, legal)
        self.positions.write_planes(reached, states, planes)

    def advance(self, states, actions):
        self.positions.advance(states, actions)

    def legal(self, states):
        mask = np.zeros((len(states), self.num_actions), np.bool_)
        self.positions.legal(states, mask)
        return mask

    def observe(self, states):
        planes = np.zeros((len(states), *self.observation_shape), np.float32)
        self.positions.observe(states, planes)
        return planes

    # ---- text ------------------------------------------------------------------------------------------------------

    def history(self, state: np.ndarray) -> list[int]:
        """The moves that led to one position [S]."""
        return state[HISTORY : HISTORY + state[LENGTH]].tolist()

    def draw(self, state):
        """OpenSpiel's drawing, then the moves that led there."""
        moves = self.history(state)
        board = self.positions.game.new_initial_state()
        for action in moves:
            board.apply_action(action)
        return f"{str(board).rstrip()}\n" + " ".join(["moves:", *map(str, moves)])

    def parse(self, text):
        """The position after the moves of the last line; a drawing above it must be that of this position."""
        drawn, _, last = text.rstrip().rpartition("\n")
        word, *moves = last.split() or [""]
        if word != "moves:" or not all(move.isdecimal() for move in moves):
            raise GameError(f"{self.title}: expected a last line such as 'moves: 3 0', got {last[:80]!r}")
        try:
            state = self.play(self.reset(1)[0], *map(int, moves))
        except GameError as error:
            raise GameError(f"{self.title}: no such position: {error}") from None
        if drawn.strip() and drawn.split() != self.draw(state).rpartition("\n")[0].split():
            raise GameError(f"{self.title}: the moves do not lead to what is drawn above them:\n{text}")
        return state
