"""What kernels read and write."""

import numpy as np

from games.core import Game
from games.promises.sampling import PromiseBroken, after, random_games, refuse_first, rows_differ, show, step


def check_own_rows(game: Game, seed: int) -> None:
    """A move writes its own row of states, masks and views, and nothing beside it."""
    states, actions = random_games(game, seed).moves(300)
    for state, action in zip(states, actions, strict=True):
        for guard in (0, 1):
            rows = [
                np.full((3, len(state)), guard, states.dtype),
                np.full((3, game.num_actions), bool(guard)),
                np.full((3, *game.observation_shape), guard, np.float32),
            ]
            rows[0][1] = state
            own = [array[1:2] for array in rows]
            game.step(own[0], action[None], own[1], own[2])
            for name, array in zip(("states", "masks", "planes"), rows, strict=True):
                if (array[[0, 2]] != guard).any():
                    raise PromiseBroken(
                        f"action {action} writes into a neighbouring row of {name}: an index leaves the row (compiled "
                        f"code does not check). Position before:{show(game, state)}"
                    )


def check_looking(game: Game, seed: int) -> None:
    """Looking changes nothing: legal and observe leave the state alone, and nobody writes params."""
    states, actions = random_games(game, seed).moves()
    params = game.params.copy()
    for name, look in (("legal", game.legal), ("observe", game.observe)):
        looked = states.copy()
        look(looked)
        refuse_first(game, states, rows_differ(looked, states), f"{name} changes the state: only apply may")
    after(game, states, actions)
    if not (params == game.params).all():
        raise PromiseBroken(f"the kernels change params from {params.tolist()} to {game.params.tolist()}")


def check_leftovers(game: Game, seed: int) -> None:
    """Masks and planes are written whole, whatever the arrays held before."""
    states, actions = random_games(game, seed).moves()
    after, masks, planes = step(game, states, actions)
    _, masks_again, planes_again = step(game, states, actions, fill=7)
    refuse_first(
        game, after, rows_differ(masks, masks_again),
        "legal leaves entries unwritten or reads them: write True or False for every action, also after the end",
    )  # fmt: skip
    refuse_first(
        game, after, rows_differ(planes, planes_again),
        "observe leaves entries unwritten or adds to them: write every entry, zeros included, also after the end",
    )  # fmt: skip


def check_batch(game: Game, seed: int) -> None:
    """A row does not depend on the other rows of its batch."""
    states, actions = random_games(game, seed).moves(64)
    together = step(game, states, actions)
    for b in range(len(states)):
        alone = step(game, states[b : b + 1], actions[b : b + 1])
        for name, one, all_rows in zip(("apply", "legal", "observe"), alone, together, strict=True):
            if rows_differ(one, all_rows[b : b + 1])[0]:
                raise PromiseBroken(
                    f"{name} gives a row something else alone than in a batch of {len(states)}: no means over the "
                    f"batch, no memory shared by rows. Position before:{show(game, states[b])}"
                )
