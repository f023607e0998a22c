"""The choices of the page: methods, restorers, levels and sample photos of the zoo."""

import inspect
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..config import load_config
from ..degrade.levels import LEVELS
from ..model import FaceReconstructor
from ..restore.trainer import PhotoRestorer
from ..zoo import DEFAULT_CONFIG, FOLDER
from ..zoo.card import Card, cards

NOTHING = "none"  # the choice of no restorer or method
# Clean photos, as the page degrades them. Two rows of thumbnails leave the button below visible
# without scrolling.
SAMPLES = [FOLDER / "samples" / f"portrait_{number}.jpg" for number in range(1, 7)]
# Methods without weights of their own; the second for photos that are restored before.
NO_WEIGHTS = {name: f"configs/face_mesh/{name}.py" for name in ("face_mesh_restored", "face_mesh")}


@dataclass(frozen=True)
class Choices:
    """The choices by the names that the page shows.

    methods: config files, the default first; restorers: parts for RESTORERS; balanced: the methods
    with an adjustable fidelity.
    """

    methods: dict[str, str]
    restorers: dict[str, dict[str, Any] | None]
    balanced: frozenset[str]
    levels: tuple[str, ...] = tuple(LEVELS)


@cache
def shipped_choices() -> Choices:
    """The default method, and those with shipped weights, from their cards and configs."""
    methods = {Path(DEFAULT_CONFIG).stem: DEFAULT_CONFIG, **NO_WEIGHTS}
    restorers, balanced = {NOTHING: None}, set()
    for name, card in sorted(cards().items()):
        path = Card.read(card).facts["Config"].strip("`")
        if not path.endswith(".py"):  # made by a tool, not trained
            continue
        model = load_config(path).model
        if issubclass(model.type, FaceReconstructor):
            methods[name] = path
            if any(map(has_fidelity, (model.get("refine") or {}).values())):
                balanced.add(name)
        elif issubclass(model.type, PhotoRestorer):
            kind = model.restore.type
            restorers[kind.__name__] = dict(type=kind, weights=name)
    return Choices(methods, restorers, frozenset(balanced))


def has_fidelity(part: dict[str, Any]) -> bool:
    """Whether the refiner of a config has an argument `fidelity`."""
    return "fidelity" in inspect.signature(part["type"]).parameters
