"""Configs to models: the door for files, overrides and weights."""

import inspect
from importlib import import_module
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS
from mmengine.utils import get_object_from_string

from .errors import ConfigError, PartError, near
from .io import checkpoints  # noqa: F401  # it registers `zoo://` with MMEngine
from .io.weights import load_weights
from .model import FaceReconstructor
from .registry import check_arguments

# Keys of a Runner that a config may leave out and an override may still set.
RUNNER_KEYS = ("randomness", "resume", "load_from", "load_only", "work_dir", "launcher", "env_cfg")
RUNNER_KEYS += ("visualizer",)

# What MMEngine's builders take out of a dict before they call its type.
NOT_ARGUMENTS = ("type", "_scope_", "constructor", "paramwise_cfg", "convert_to_iter_based")

MEASURING = ("protocol", "test_dataloader", "test_evaluator")  # what makes a protocol

# Where `configs/` lies: within the package if installed, beside it in a clone.
HOMES = (Path(__file__).parent, Path(__file__).parents[1])


def load_config(
    path: str | Path, overrides: dict[str, Any] | None = None, protocol: str | None = None
) -> Config:
    """The config at `path` with dotted `overrides` merged in, its `custom_imports` done.

    A path such as configs/lap/lap_heads.py that is not there stands for the shipped config.

    Args:
        protocol: measures otherwise than the config: the test set, the metrics and the `protocol`
            are those of configs/_base_/PROTOCOL.py, or of a file of one's own; its `model`, if it
            has one, changes the config's.

    Raises:
        ConfigError: the file is missing or does not run, or an override or argument is not known.
    """
    path = _there_or_shipped(Path(path))
    config = _read(path)
    if protocol:
        _follow(config, protocol)
    _import_custom(config)
    if overrides:
        for key in overrides:
            _check_override(config, key)
        _merge(config, overrides)
    try:
        _check_parts(config)
    except PartError as error:
        raise ConfigError(f"{path}: {error}") from None
    except ImportError as error:  # MMEngine imports what a config names only now
        raise ConfigError(f"{path} does not load: {_one_line(error)}") from error
    return config


def load_model(
    config: str | Path | Config, weights: str | Path | None = None, device: str = "cpu"
) -> FaceReconstructor:
    """The model of a config with its weights, ready to predict; without its losses.

    Args:
        config: a file or a loaded config.
        weights: a weight file; None leaves the model as initialised.
    """
    config = config if isinstance(config, Config) else load_config(config)
    described = config.get("model")
    if not isinstance(described, dict) or "type" not in described:
        raise ConfigError(f"{config.filename} has no model")
    described = dict(described)
    described.pop("losses", None)
    kind = described.pop("type")
    if isinstance(kind, str):  # as in a config that a training has left in its work dir
        kind = _class_of(kind)
    model = kind(**described)
    if weights is not None:
        load_weights(model, weights)
    return model.to(device).eval()


def _read(path: Path) -> Config:
    if path.suffix != ".py":  # MMEngine's readers of other formats run what a file says, too
        raise ConfigError(f"{path} is no config: those are Python, .py")
    try:
        return Config.fromfile(path, import_custom_modules=False)
    except Exception as error:  # a config is a program and may fail in any way at all
        raise ConfigError(f"{path} does not load: {_one_line(error)}") from error


def _follow(config: Config, protocol: str) -> None:
    """Puts a protocol's test set and metrics in the place of the config's."""
    own = protocol.endswith(".py")
    base = _read(_there_or_shipped(Path(protocol if own else f"configs/_base_/{protocol}.py")))
    _import_custom(base)
    for key in MEASURING:
        if key not in base:
            raise ConfigError(f"{protocol} is no protocol to measure by: it has no '{key}'")
        config[key] = base[key]
    if "model" in base:
        _merge(config, {"model": base.model})
    config.measured_by = protocol


def _there_or_shipped(path: Path) -> Path:
    """The path itself or, in a folder without it, that of the installed or cloned config."""
    places = (Path(), *(HOMES if path.parts[:1] == ("configs",) else ()))
    for place in places:
        if isfile(place / path):  # of a name too long, too, which pathlib raises an error for
            return place / path
    raise ConfigError(f"no config at {path}{_near_file(path)}")


def _import_custom(config: Config) -> None:
    """MMEngine ignores `custom_imports` in pure Python configs."""
    wanted = config.get("custom_imports") or {}
    for name in wanted.get("imports", ()):
        try:
            import_module(name)
        except ImportError as error:
            if not wanted.get("allow_failed_imports"):
                raise ConfigError(f"custom_imports: {name} does not import: {error}") from None


def _check_override(config: Config, key: str) -> None:
    """An override may set a key that the config has, or that its part takes."""
    here: Any = config
    for step in key.split("."):
        if isinstance(here, (list, tuple)):
            known = [str(i) for i in range(len(here))]
        elif isinstance(here, dict) or here is config:
            known = [
                *here.keys(),
                *(_takes(here.get("type")) if here is not config else RUNNER_KEYS),
            ]
        else:
            return
        if step not in known:
            raise ConfigError(f"no config key '{key}': '{step}' is not known{near(step, known)}")
        here = here[int(step)] if isinstance(here, (list, tuple)) else here.get(step)


def _merge(config: Config, overrides: dict[str, Any]) -> None:
    try:
        config.merge_from_dict(overrides)
    except Exception as error:  # whatever MMEngine finds that it cannot put where it should
        what = ", ".join(f"{key}={value!r}" for key, value in overrides.items())
        raise ConfigError(f"no such change: {what} ({_one_line(error)})") from error


def _check_parts(value: Any) -> None:
    """Checks every part that is named by its class: arguments are misspelt before work begins."""
    if isinstance(value, (list, tuple)):
        for item in value:
            _check_parts(item)
    elif isinstance(value, (dict, Config)):
        kind = value.get("type")
        if inspect.isclass(kind):
            given = {k: v for k, v in value.items() if k not in NOT_ARGUMENTS}
            names = set(inspect.signature(kind).parameters)
            check_arguments(kind, {**dict.fromkeys(names), **given})
        for item in value.values():
            _check_parts(item)


def _class_of(name: str) -> Any:
    """The class that a dotted path in a config stands for.

    Raises:
        ConfigError: there is none.
    """
    try:
        found = MODELS.get(name) or get_object_from_string(name)
    except (ImportError, RuntimeError, AttributeError, ValueError):
        found = None
    if not inspect.isclass(found):
        raise ConfigError(f"no model is called '{name}'")
    return found


def _takes(kind: Any) -> list[str]:
    return list(inspect.signature(kind).parameters) if inspect.isclass(kind) else []


def _near_file(path: Path) -> str:
    if not isdir(path.parent):
        return ""
    return near(path.name, [p.name for p in path.parent.glob("*.py")])


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
