"""The supervision of a method, as in Table 1 of the L2R paper: `I`, `I, keypoint`, ...

It is derived from the config, not declared. `I`, images, is always included. A part adds the words
of its class attribute `supervision`, such as `("3D",)` for true depth, normals, views or a face
model from scans, and `("keypoint",)` for facial keypoints. A part without it adds nothing. The
supervision of other configs is inherited through

- the `teachers` of a part, such as `Distillation`, whose keys are configs;
- shipped weights that a part names, such as those of a prior;
- `load_from`, the initial weights: `zoo://NAME`, `work_dirs/NAME/iter_N.pth`.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, PartError, near
from ..zoo import FOLDER

if TYPE_CHECKING:  # MMEngine is slow to import, and tables do not need it
    from mmengine.config import Config

IMAGES, WORDS = "I", ("keypoint", "3D")
KNOWN = ("I", "I, keypoint", "I, 3D", "I, keypoint, 3D")


def supervision_of(config: "Config") -> str:
    """The supervision of a loaded config including its losses, one of `KNOWN`.

    Raises:
        ConfigError: a config that it inherits from is missing or does not load.
        PartError: a part's `supervision` has other words than `WORDS`.
    """
    found = _words(config, set())
    return ", ".join([IMAGES, *(word for word in WORDS if word in found)])


def _words(config: "Config", seen: set[Path]) -> set[str]:
    """The words of a config and of its sources, except those in `seen`, which is extended."""
    from ..config import load_config

    found, sources = set(), []
    own = Path(config.filename).resolve() if config.filename else None
    seen |= {own} - {None}
    shipped = {path.stem for path in FOLDER.glob("*.safetensors")}
    for value in _walk(config.get("model")):
        if isinstance(value, dict):
            found |= {word for kind in _classes(value.get("type")) for word in _stated(kind)}
        elif (name := value.removeprefix("zoo://")) in shipped:
            sources += filter(None, [_configs().get(name)])  # ImageNet features have no config
    sources += [Path(teacher) for teacher, _ in teachers_of(config)]
    if start := config.get("load_from"):
        sources.append(config_of_weights(str(start), own))
    for source in sources:
        inherited = load_config(source)
        if Path(inherited.filename).resolve() not in seen:
            found |= _words(inherited, seen)
    return found


def teachers_of(config: "Config") -> Iterator[tuple[str, str]]:
    """The config and the weights of each teacher of a part."""
    for part in _walk(config.get("model")):
        teachers = part.get("teachers") if isinstance(part, dict) else None
        if isinstance(teachers, dict):
            yield from teachers.items()


def _walk(value: Any) -> Iterator[Any]:
    """Every dict and string within a value."""
    if isinstance(value, (dict, str)):
        yield value
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _walk(item)


def _classes(kind: Any) -> list[type]:
    """The class of a part, or all classes registered under a name."""
    from .. import registry

    if isinstance(kind, str):
        registries = [
            each for each in vars(registry).values() if isinstance(each, registry.PartRegistry)
        ]
        return [
            found
            for each_registry in registries
            if inspect.isclass(found := each_registry.get(kind))
        ]
    return [kind] if inspect.isclass(kind) else []


def _stated(kind: type) -> tuple[str, ...]:
    """The words of a part's attribute `supervision`."""
    words = getattr(kind, "supervision", ())
    if not isinstance(words, (tuple, frozenset)) or not set(words) <= set(WORDS):
        raise PartError(f"{kind.__name__}.supervision is {words!r}, no tuple of words of {WORDS}")
    return tuple(words)


def config_of_weights(load_from: str, own: Path | None) -> Path:
    """The config of the weights in `load_from`; for training's files also from the folder of `own`.

    Raises:
        ConfigError: there is none of that name.
    """
    path = Path(load_from.removeprefix("zoo://"))
    if load_from.startswith("zoo://"):
        name, known = path.name, _configs()
    else:
        name = path.stem if path.suffix == ".safetensors" else path.parent.name
        beside = {p.stem: p for p in own.parent.glob("*.py")} if own else {}
        known = _configs(Path()) | beside
    if name not in known:
        hint = near(name, known) if name else ""
        raise ConfigError(
            f"load_from='{load_from}' names no config, so the supervision of these weights is "
            f"not known: no config is called '{name}'{hint}"
        )
    return known[name]


def _configs(*more: Path) -> dict[str, Path]:
    """Configs of methods and projects by name: those in `more`, else the shipped ones.

    `_base_` is left out.
    """
    from ..config import HOMES

    found: dict[str, Path] = {}
    for place in (*reversed(HOMES), *reversed(more)):
        for folder in ("projects", "configs"):
            paths = sorted((place / folder).glob("*/*.py"))
            found |= {path.stem: path for path in paths if path.parent.name != "_base_"}
    return found
