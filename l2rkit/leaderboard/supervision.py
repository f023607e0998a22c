"""What a method has learnt from, in the words of the L2R paper's Table 1: `I`, `I, keypoint`, ...

It is derived from the config, so that nobody declares it. Images are always there. A part adds what
its class attribute `supervision` names, such as `supervision = ("3D",)`: a loss that sees true
depth, normals or views, a face model learnt from scans, a loss on facial keypoints. A part without
the attribute adds nothing. What other configs have learnt is inherited from

- the `teachers` of a part, such as `Distillation`, whose keys are configs;
- shipped weights that a part names, such as those of a prior;
- `load_from`, where training began: `zoo://NAME`, `work_dirs/NAME/iter_N.pth`.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, PartError, near
from ..zoo import FOLDER

if TYPE_CHECKING:  # tables must not wait for MMEngine
    from mmengine.config import Config

IMAGES, WORDS = "I", ("keypoint", "3D")
KNOWN = ("I", "I, keypoint", "I, 3D", "I, keypoint, 3D")


def supervision_of(config: "Config") -> str:
    """The supervision of a loaded config, losses and all: one of `KNOWN`.

    Raises:
        ConfigError: a config that it inherits from is not there or does not load.
        PartError: a part's `supervision` has other words than `WORDS`.
    """
    found = _words(config, set())
    return ", ".join([IMAGES, *(word for word in WORDS if word in found)])


def _words(config: "Config", seen: set[Path]) -> set[str]:
    """Words of a config and of those it inherits from, save those in `seen`, which grows."""
    from ..config import load_config

    found, sources = set(), []
    own = Path(config.filename).resolve() if config.filename else None
    seen |= {own} - {None}
    shipped = {path.stem for path in FOLDER.glob("*.safetensors")}
    for value in _walk(config.get("model")):
        if isinstance(value, dict):
            found |= {word for kind in _classes(value.get("type")) for word in _stated(kind)}
            teachers = value.get("teachers")
            sources += map(Path, teachers) if isinstance(teachers, dict) else ()
        elif value in shipped:  # features of ImageNet have no config, and add nothing
            sources += filter(None, [_configs().get(value)])
    if start := config.get("load_from"):
        sources.append(begun_with(str(start), own))
    for source in sources:
        inherited = load_config(source)
        if Path(inherited.filename).resolve() not in seen:
            found |= _words(inherited, seen)
    return found


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
    """The class of a part, or the classes that are registered under a name."""
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


def begun_with(load_from: str, own: Path | None) -> Path:
    """The config whose weights `load_from` names; beside `own`, if training wrote them.

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
            f"load_from='{load_from}' names no config, so what these weights have learnt from is "
            f"not known: no config is called '{name}'{hint}"
        )
    return known[name]


def _configs(*more: Path) -> dict[str, Path]:
    """Configs of methods and projects by name: the shipped ones and, before them, those in `more`.

    What protocols and data sets share in `_base_` is none.
    """
    from ..config import HOMES

    found: dict[str, Path] = {}
    for place in (*reversed(HOMES), *reversed(more)):
        for folder in ("projects", "configs"):
            paths = sorted((place / folder).glob("*/*.py"))
            found |= {path.stem: path for path in paths if path.parent.name != "_base_"}
    return found
