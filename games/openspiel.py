"""OpenSpiel's games under this contract: `make("openspiel", id="havannah(board_size=4)")`.

Rules     those of `pyspiel.load_game(id)`: two players, in turns, nothing hidden, no chance, a result at the end only
State     the moves so far: how many, a key of 64 bits that they have, then OpenSpiel's numbers of them. OpenSpiel's own
          positions are kept by key in a bounded memory of this process and made again where they fell out of it
Players   player 0 is who moves first; in OpenSpiel's chess and its kin that is player 1
Result    the sign of what the first player gets, whatever the size of the score
Actions   OpenSpiel's
Planes    OpenSpiel's observation of the mover, as [P, H, W]; numbers in one row become [1, 1, N], planes in two
          dimensions [P, 1, N]. Where it does not depend on who looks, what belongs to the players is exchanged for
          OpenSpiel's player 1 (see EXCHANGED), so that the mover's stands where player 0's does for player 0, and a
          plane is added that holds OpenSpiel's number of the mover. Boards of Chess and its kin, both Checkers and
          Twixt are turned for one player (see games.openspiel_views), others are not. Hex shows stones only, not which
          of them are connected (plain_obs_tensor). See LEGAL_SHOWN too
Symmetry  identity only
Longest   OpenSpiel's max_game_length, at most LONGEST
Text      OpenSpiel's drawing, then the moves, by which `parse` finds the position
"""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pyspiel
from open_spiel.python.observation import make_observation

from games.core import HEADER, OVER, RESULT, TO_MOVE, ActionLayout, Game, GameError, Rules, kernel, lean_kernel
from games.openspiel_games import describe, load, longest, shown
from games.openspiel_views import HALF_TURNS, MIRRORED, marks, second_actions, second_board, star

LENGTH, KEY, HISTORY = HEADER, HEADER + 1, HEADER + 5  # words of the state: the number of moves, their key, the moves
KEPT = 1 << 13  # positions in each of the three parts of the memory of a game; a position takes 1 to 14 KB


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
    "oware": [*_pairs(0, 6, 6), (12, 13)],  # with the six houses of each player that it has by default; see _oware
    "quoridor": [(0, 1), (3, 4)],
    "shogi": [*_pairs(0, 14), *_pairs(31, 7, 7)],
    "tic_tac_toe": [(1, 2)],
    "twixt": _pairs(0, 6, 6),
    "xiangqi": _pairs(0, 7, 7),
}
"""Planes (entries, where all stand in one row) that belong to one player each, of observations that both share."""


def _oware(entries: int) -> list[tuple[int, int]]:
    """Houses of either player, whose number is a parameter, then the scores."""
    houses = entries // 2 - 1
    return [*_pairs(0, houses, houses), (2 * houses, 2 * houses + 1)]


LEGAL_SHOWN = ("amazons", "checkers", "chinese_checkers", "hive", "nine_mens_morris", "quoridor")
"""Games whose observation leaves open what may be played next (half a move was made, a wall is in the way): the legal
actions become planes too, as many as they need. So do those of Havannah with swap."""

PER_CELL = ("breakthrough", "checkers", "clobber", "lines_of_action", "pentago", "xiangqi")
"""Games whose actions are counted cell by cell, the same number for each: where the piece stands that moves, or where
the new one is put. Networks that know the board learn these games too."""

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


def keys_of(states: np.ndarray) -> np.ndarray:
    """The keys [B] of the moves that led to `states`; 0 where there were none."""
    return states[:, KEY:HISTORY].astype(np.int16, order="C").view(np.int64).ravel()


def lengthened(keys: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """The keys [B] after one move more. Of a million histories two share one with a probability of 3e-8."""
    mixed = (keys.view(np.uint64) + np.asarray(actions, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return (mixed ^ (mixed >> np.uint64(29))).view(np.int64)


@lean_kernel
def record(states, actions, players, first):
    """Write down the moves and who is next: OpenSpiel's numbers `players`, negative at the end of the game."""
    for b in range(len(states)):
        state = states[b]
        state[HISTORY + state[LENGTH]] = actions[b]
        state[LENGTH] += 1
        state[OVER] = players[b] < 0
        state[TO_MOVE] = 1 - state[TO_MOVE] if players[b] < 0 else players[b] ^ first


@lean_kernel
def mark(masks, counts, actions):
    """Set the next `counts[b]` of `actions` in row b of `masks`, and no others."""
    begin = 0
    for b in range(len(masks)):
        mask = masks[b]
        for action in range(len(mask)):
            mask[action] = False
        for i in range(begin, begin + counts[b]):
            mask[actions[i]] = True
        begin += counts[b]


class Positions:
    """A game of OpenSpiel with its positions by key. They are shared: only `advance` may change one."""

    def __init__(self, game: pyspiel.Game):
        self.game = game
        self.name, parameters = shown(game)
        self.initial = game.new_initial_state()
        self.first = self.initial.current_player()  # OpenSpiel's number of our player 0
        self.observation = make_observation(game)
        self.shared = self._seen_alike()
        self.shape = self._shape()
        self.actions = game.num_distinct_actions()
        self.exchange = self._exchange(None)
        self.views = self._turn()
        cells = self.shape[1] * self.shape[2]
        told = self.name in LEGAL_SHOWN or (self.name == "havannah" and parameters["swap"])
        self.legal_planes = -(-self.actions // cells) if told else 0
        self._young: dict[int, pyspiel.State] = {}
        self._old: dict[int, pyspiel.State] = {}
        self._made: dict[int, pyspiel.State] = {}

    def legal(self, states: np.ndarray, masks: np.ndarray) -> None:
        self.write_masks(self.at(states), masks)

    def observe(self, states: np.ndarray, planes: np.ndarray) -> None:
        self.write_planes(self.at(states), states, planes, None)

    def step(self, states: np.ndarray, actions: np.ndarray, masks: np.ndarray, planes: np.ndarray) -> None:
        """Play `actions` in `states`, whose own positions are kept for other moves from them; see Game.step."""
        _, reached = self._play(states, actions, self._children)
        self.write_masks(reached, masks)
        self.write_planes(reached, states, planes, masks)

    def advance(self, states: np.ndarray, actions: np.ndarray) -> None:
        """Play `actions` in `states` [B, S], whose own positions are changed and not kept."""
        keys, _ = self._play(states, actions, self._moved)
        for b in np.flatnonzero(states[:, OVER]):
            self._young.pop(keys[b], None)  # nothing is played there

    def _play(self, states, actions, reach):
        """The keys of the positions that `reach` finds, and these."""
        if len(states) and (longest := states[:, LENGTH].max()) >= states.shape[1] - HISTORY:
            raise GameError(f"{self.game}: a game went on after {longest} moves, the longest that there is room for")
        self._forget_some()
        keys = keys_of(states)
        longer = lengthened(keys, actions)
        after = longer.tolist()
        reached, players = reach(states, keys.tolist(), actions.tolist(), after)
        players = np.array(players, np.int64)
        record(states, actions, players, self.first)
        states[:, KEY:HISTORY] = longer.view(np.int16).reshape(-1, 4)
        for b in np.flatnonzero(players < 0):
            states[b, RESULT] = np.sign(reached[b].returns()[self.first])
        return after, reached

    def write_masks(self, positions: list[pyspiel.State], masks: np.ndarray) -> None:
        legal = [position.legal_actions() for position in positions]
        counts = np.array(list(map(len, legal)), np.int64)
        flat = itertools.chain.from_iterable(legal)
        actions = struct.pack(f"{counts.sum()}q", *flat)  # faster than what numpy makes of lists
        mark(masks, counts, np.frombuffer(actions, np.int64))

    def write_planes(self, positions: list[pyspiel.State], states: np.ndarray, planes: np.ndarray,
                     legal: np.ndarray | None) -> None:  # fmt: skip
        """What the movers see; `legal` are the masks, if they are known already."""
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
            if legal is None:
                legal = np.empty((len(planes), self.actions), np.bool_)
                self.write_masks(positions, legal)
            shown = np.zeros((len(planes), self.legal_planes * self.shape[1] * self.shape[2]), np.bool_)
            shown[:, : self.actions] = np.take_along_axis(legal, self.views[states[:, TO_MOVE]], 1)
            planes[:, -self.legal_planes :] = shown.reshape(-1, self.legal_planes, *self.shape[1:])

    # ---- memory ----------------------------------------------------------------------------------------------------

    def at(self, states: np.ndarray) -> list[pyspiel.State]:
        """OpenSpiel's positions at `states` [B, S]; nobody may change them."""
        self._forget_some()
        keys = keys_of(states).tolist()
        found = list(map(self._young.get, keys))
        if not all(found):
            for b in [b for b, position in enumerate(found) if position is None]:
                found[b] = self._at(states[b], keys[b])
        return found

    def _at(self, state, key):
        found = self._young[key] = self._young.get(key) or self._old.pop(key, None) or self._again(state, key)
        return found

    def _children(self, states, keys, actions, longer):
        """The positions after `actions`, `longer` their keys, and OpenSpiel's numbers of who is to move there."""
        young, old, reached, players = self._young, self._old, [], []
        for b, (key, action, after) in enumerate(zip(keys, actions, longer, strict=True)):
            child = young.get(after) or old.pop(after, None)
            if child is None:
                child = self._at(states[b], key).clone()
                child.apply_action(action)
            young[after] = child
            reached.append(child)
            players.append(child.current_player())
        return reached, players

    def _moved(self, states, keys, actions, longer):
        """The same with the positions of `states` themselves; one may be moved on by a later row."""
        young, old, reached, players = self._young, self._old, [], []
        for b, (key, action, after) in enumerate(zip(keys, actions, longer, strict=True)):
            position = young.pop(key, None) or old.pop(key, None) or self._again(states[b], key)
            position.apply_action(action)
            young[after] = position
            reached.append(position)
            players.append(position.current_player())
        return reached, players

    def _again(self, state, key):
        """The position made anew from its moves. What was asked for so once may be again: then it is copied."""
        position = self._made.get(key)
        if position is None:
            position = self.initial.clone()
            for action in state[HISTORY : HISTORY + state[LENGTH]].tolist() if key else ():
                position.apply_action(action)
            self._made[key] = position
        return position.clone()

    def _forget_some(self) -> None:
        """What was not asked for while KEPT others were is forgotten."""
        if len(self._young) >= KEPT:
            self._old, self._young = self._young, {}
        if len(self._made) >= KEPT:
            self._made = {}

    def forget(self) -> None:
        """Empty the memory."""
        self._young, self._old, self._made = {}, {}, {}

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
        side = shown(self.game)[1].get("size", 0)
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
        for one, other in _oware(len(entries)) if self.name == "oware" else EXCHANGED[self.name]:
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
        if self.name == "chinese_checkers":
            views[1], self.exchange = star(views[0], np.arange(len(self.observation.tensor)))
            return views
        found = marks(self.initial, self._look, self.actions)
        if self.first:
            found = found[::-1, ::-1]
        own, other = found[[0, 1], [0, 1]], found[[1, 0], [0, 1]]
        if (view := second_actions(own)) is not None:
            views[1] = view
            self.exchange = self._exchange(second_board(other, own, view, self.shape[1:]))
        return views

    def layout(self) -> ActionLayout | None:
        """Where actions lie on the board, for games of PER_CELL; None leaves it to the contract."""
        if self.name not in PER_CELL:
            return None
        cells, actions = self.shape[1] * self.shape[2], np.arange(self.actions)
        each = self.actions // cells
        return ActionLayout(each, 0, 0, actions % each * cells + actions // each)

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
        game = load(id.strip())
        self.id = str(pyspiel.load_game(id.strip()))
        self.name, size = describe(self.id, game)
        number = number_of(game)
        self.positions = GAMES[number]
        planes, height, width = self.positions.shape
        planes += self.positions.shared + self.positions.legal_planes
        super().__init__(
            settings={"id": self.id}, size=height if size is None else size, params=[number],
            state_words=HISTORY + longest(game), num_actions=game.num_distinct_actions(),
            observation_shape=(planes, height, width), max_length=longest(game),
            views=self.positions.views, layout=self.positions.layout(),
        )  # fmt: skip

    @property
    def title(self):
        return f"{self.name}-{self.size}"

    @property
    def openspiel_id(self):
        return self.id

    # ---- batches ---------------------------------------------------------------------------------------------------

    def step(self, states, actions, legal, planes):
        self.positions.step(states, actions, legal, planes)

    def advance(self, states, actions):
        self.positions.advance(states, actions)

    def legal(self, states):
        mask = np.zeros((len(states), self.num_actions), np.bool_)
        self.positions.legal(states, mask)
        return mask

    def pick(self, states, fractions):
        legal = [position.legal_actions() for position in self.positions.at(states)]
        places = zip(legal, fractions.tolist(), strict=True)
        return np.array([found[int(fraction * len(found))] if found else -1 for found, fraction in places], np.int64)

    def observe(self, states):
        planes = np.zeros((len(states), *self.observation_shape), np.float32)
        self.positions.observe(states, planes)
        return planes

    # ---- text ------------------------------------------------------------------------------------------------------

    def history(self, state: np.ndarray) -> list[int]:
        """The moves that led to one position [S]."""
        return state[HISTORY : HISTORY + state[LENGTH]].tolist()

    def move_text(self, state, action):
        """OpenSpiel's name of a move, without blanks."""
        (position,) = self.positions.at(state[None])
        return "".join(position.action_to_string(position.current_player(), action).split())

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
        except ValueError as error:  # GameError, or a number of more digits than Python reads
            raise GameError(f"{self.title}: no such position: {error}") from None
        if drawn.strip() and drawn.split() != self.draw(state).rpartition("\n")[0].split():
            raise GameError(f"{self.title}: the moves do not lead to what is drawn above them:\n{text}")
        return state
