"""Loads configs, with overrides and protocols, and models with their weights."""

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from os.path import isdir, isfile
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.config import config as mmengine_config
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.utils import get_object_from_string

from .errors import ConfigError, PartError, near
from .io import checkpoints  # noqa: F401  # registers `zoo://` with MMEngine
from .io.weights import load_weights
from .model import FaceReconstructor
from .registry import MODELS, check_arguments
from .zoo import weight_file

# Keys of a Runner that an override may set although the config has none.
RUNNER_KEYS = ("randomness", "resume", "load_from", "load_only", "work_dir", "launcher", "env_cfg")
RUNNER_KEYS += ("visualizer",)
RUNNER_DICTS = ("randomness", "env_cfg", "visualizer")

# Top-level keys that the Runner or l2rkit reads after loading. All other names are variables of the
# config: other values were computed from them before an override could change them.
READ = {
    *RUNNER_KEYS,
    *("model", "data_preprocessor", "optim_wrapper", "param_scheduler", "auto_scale_lr"),
    *("train_dataloader", "val_dataloader", "test_dataloader", "val_evaluator", "test_evaluator"),
    *("train_cfg", "val_cfg", "test_cfg", "default_hooks", "custom_hooks", "custom_imports"),
    *("log_processor", "log_level", "default_scope", "experiment_name", "model_wrapper_cfg"),
    *("sync_bn", "find_unused_parameters", "activation_checkpointing", "compile"),
    *("efficient_conv_bn_eval", "protocol"),
}

# Keys that MMEngine's builders remove from a dict before they call its type.
NOT_ARGUMENTS = ("type", "_scope_", "constructor", "paramwise_cfg", "convert_to_iter_based")

MEASURING = ("protocol", "test_dataloader", "test_evaluator")  # keys of a protocol

# `configs/` is in the package if installed, beside it in a clone.
HOMES = (Path(__file__).parent, Path(__file__).parents[1])


def load_config(
    path: str | Path, overrides: dict[str, Any] | None = None, protocol: str | None = None
) -> Config:
    """The config at `path` with dotted `overrides` merged in, its `custom_imports` done.

    If configs/lap/lap_heads.py is missing in the current folder, the shipped config is loaded, as
    for the bare name lap_heads. A config inherits a shipped one by
    `with read_base(): from l2rkit.configs.lap.lap_heads import *`.

    Args:
        protocol: name of a file in configs/_base_/protocols, or another file, whose test set,
            metrics and `protocol` replace the config's; its `model`, if any, updates the config's.

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
            _check_read(config, key)
            _check_kind(config, key, overrides[key])
        _merge(config, overrides)
        _import_custom(config)  # also those of the overrides
    try:
        _check_parts(config)
    except PartError as error:
        raise ConfigError(f"{path}: {error}") from None
    except ImportError as error:  # MMEngine imports lazily, only here
        raise ConfigError(f"{path} does not load: {_one_line(error)}") from error
    return config


def load_model(
    config: str | Path | Config, weights: str | Path | None = None, device: str = "cpu"
) -> FaceReconstructor:
    """The model of a config with weights, in evaluation mode, without losses and adversary.

    Args:
        config: a file or a loaded config.
        weights: a weight file; None leaves the model as initialised.
    """
    config = config if isinstance(config, Config) else load_config(config)
    described = config.get("model")
    if not isinstance(described, dict) or "type" not in described:
        raise ConfigError(f"{config.filename} has no model")
    described = dict(described)
    for part in ("losses", "adversary"):  # for training only
        described.pop(part, None)
    kind = described.pop("type")
    if isinstance(kind, str):  # a config in a work dir names it as a string
        kind = _class_of(kind)
    model = kind(**described)
    if weights is not None:
        load_weights(model, weights)
    return model.to(device).eval()


@MODELS.register_module()
class PretrainedReconstructor:
    """A trained `FaceReconstructor` as a part of another one, such as the teacher of a loss.

    Args:
        config: a config file.
        weights: a weight file, or the name of shipped weights.
    """

    def __new__(cls, config: str, weights: str) -> FaceReconstructor:  # type: ignore[misc]
        return load_model(config, weight_file(weights))


def _read(path: Path) -> Config:
    _check_python(path)
    try:
        with _packages_found(), _python_alone():
            return Config.fromfile(path, import_custom_modules=False)
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:  # a config is a program and may raise anything
        raise ConfigError(f"{path} does not load: {_one_line(error)}{_base_hint(path)}") from error


def _check_python(path: str | Path) -> None:
    """Raises ConfigError for other formats, from whose files MMEngine's readers run code."""
    if Path(path).suffix != ".py":
        raise ConfigError(f"{path} is no config: those are Python, .py")


@contextmanager
def _python_alone() -> Iterator[None]:
    """A context in which a file in `_base_`, too, has to be Python."""
    found = Config._file2dict

    def read(filename: str, *rest: Any, **named: Any) -> Any:
        _check_python(filename)
        return found(filename, *rest, **named)

    Config._file2dict = staticmethod(read)
    try:
        yield
    finally:
        Config._file2dict = staticmethod(found)


@contextmanager
def _packages_found() -> Iterator[None]:
    """A context in which MMEngine resolves absolute bases without `pkg_resources`.

    Current setuptools has no `pkg_resources`, and it would not find `l2rkit.configs` in a clone,
    where it is beside the package.
    """
    found, mmengine_config.get_installed_path = mmengine_config.get_installed_path, _package_folder
    try:
        yield
    finally:
        mmengine_config.get_installed_path = found


def _package_folder(package: str) -> str:
    """The folder that holds a package's configs."""
    if package == "l2rkit":
        return str(next(home for home in HOMES if isdir(home / "configs")))
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package is called '{package}'")
    return list(spec.submodule_search_locations)[0]


def _base_hint(path: Path) -> str:
    """A hint on how to inherit, for configs that use `_base_`."""
    if not re.search(r"^_base_\s*=", path.read_text("utf-8", "replace"), re.MULTILINE):
        return ""
    base = "from l2rkit.configs.unsup3d.unsup3d_heads import *"
    return f"; in place of _base_ write `with read_base(): {base}`"


def _follow(config: Config, protocol: str) -> None:
    """Replaces the config's test set and metrics by the protocol's."""
    own = protocol.endswith(".py")
    base = _read(
        _there_or_shipped(Path(protocol if own else f"configs/_base_/protocols/{protocol}.py"))
    )
    _import_custom(base)
    for key in MEASURING:
        if key not in base:
            raise ConfigError(f"{protocol} is no protocol to measure by: it has no '{key}'")
        config[key] = base[key]
    if "model" in base:
        if "render" in base.model and config.get("model", {}).get("render", {}) is None:
            raise ConfigError(f"{protocol} compares renderings, and the model has render=None")
        _merge(config, {"model": base.model})
    config.measured_by = protocol


def _there_or_shipped(path: Path) -> Path:
    """The path if it exists, else that of the shipped config of the same path or name.

    The bare name of a shipped config may end with `.py` or not.
    """
    places = (Path(), *(HOMES if path.parts[:1] == ("configs",) else ()))
    for place in places:
        if isfile(place / path):  # pathlib raises for names that are too long
            return place / path
    if len(path.parts) == 1 and path.suffix in ("", ".py"):
        shipped = _shipped()
        if path.stem in shipped:
            return shipped[path.stem]
        raise ConfigError(f"no config at {path}, and none is shipped{near(path.stem, shipped)}")
    found = (p.name for place in places for p in (place / path.parent).glob("*.py"))
    raise ConfigError(f"no config at {path}{near(path.name, found)}")


def _shipped() -> dict[str, Path]:
    """The shipped configs of methods by name."""
    paths = [path for home in reversed(HOMES) for path in sorted(home.glob("configs/*/*.py"))]
    return {path.stem: path for path in paths if path.parent.name != "_base_"}


def _import_custom(config: Config) -> None:
    """Performs `custom_imports`, which MMEngine ignores in pure-Python configs."""
    custom = config.get("custom_imports") or {}
    for name in custom.get("imports", ()):
        try:
            import_module(name)
        except (Exception, SystemExit) as error:  # a module may raise anything
            if not (isinstance(error, ImportError) and custom.get("allow_failed_imports")):
                reason = error if isinstance(error, ImportError) else _one_line(error)
                raise ConfigError(f"custom_imports: {name} does not import: {reason}") from None


def _check_override(config: Config, key: str) -> None:
    """Raises ConfigError unless the config has the key, or its part accepts it."""
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


def _check_kind(config: Config, key: str, value: Any) -> None:
    """Raises ConfigError if a number or a word replaces a dict or a list of dicts."""
    here: Any = config
    for step in key.split("."):
        here = here[int(step)] if isinstance(here, (list, tuple)) else (here or {}).get(step)
    if value is None or isinstance(value, (dict, list, tuple)):
        return
    if isinstance(here, dict) or (here is None and key in RUNNER_DICTS):
        keys = f", or set one of its keys: {key}.{next(iter(here))}=..." if here else ""
        raise ConfigError(f"'{key}' is a dict such as dict(a=1), not {value!r}{keys}")
    if isinstance(here, (list, tuple)) and any(isinstance(item, dict) for item in here):
        raise ConfigError(f"'{key}' is a list such as [dict(a=1)], not {value!r}")


def _check_read(config: Config, key: str) -> None:
    """Raises ConfigError if nothing reads the overridden key after loading.

    Configs without a model may have any key.
    """
    first = key.split(".")[0]
    if first in READ or "model" not in config:
        return
    places = [path for path in _places(config, first, config[first]) if path.split(".")[0] in READ]
    instead = f": set {', '.join(places[:4])}" if places else ""
    raise ConfigError(f"'{key}' is read only while the config is loaded{instead}")


def _places(here: Any, name: str, value: Any, path: str = "") -> Iterator[str]:
    """The dotted paths below `here` that end with `name` and hold `value`."""
    keyed = here.items() if isinstance(here, (dict, Config)) else enumerate(here)
    for key, item in keyed:
        if key == name and item == value and path:
            yield f"{path}{key}"
        elif isinstance(item, (dict, list, tuple)):
            yield from _places(item, name, value, f"{path}{key}.")


def _merge(config: Config, overrides: dict[str, Any]) -> None:
    try:
        config.merge_from_dict(overrides)
    except Exception as error:  # MMEngine may raise anything
        what = ", ".join(f"{key}={value!r}" for key, value in overrides.items())
        raise ConfigError(f"no such change: {what} ({_one_line(error)})") from error


def _check_parts(value: Any) -> None:
    """Checks the arguments of every part named by its class, before any work."""
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
    """The class of a dotted path in a config.

    Raises:
        ConfigError: there is none.
    """
    try:
        found = MMENGINE_MODELS.get(name) or get_object_from_string(name)
    except (ImportError, RuntimeError, AttributeError, ValueError):
        found = None
    if not inspect.isclass(found):
        raise ConfigError(f"no model is called '{name}'")
    return found


def _takes(kind: Any) -> list[str]:
    """The arguments of a part's class, with those of its bases if it hands on `**` to them."""
    found: list[str] = []
    for base in kind.__mro__[:-1] if inspect.isclass(kind) else ():
        taken = inspect.signature(base).parameters.values()
        found += [each.name for each in taken if each.kind is not each.VAR_KEYWORD]
        if not any(each.kind is each.VAR_KEYWORD for each in taken):
            break
    return found


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
