"""The seven registries of parts, and MODELS for plain networks.

A config names a part by its class (preferred), by a dotted path, or by its registered short name.
`l2rkit.testing` holds the contract of each registry.
"""

import inspect
from importlib import import_module
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, get_args

from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import Registry

from .errors import PartError, near

# Parts that were renamed in 0.2.0; an error names the new name.
RENAMED = {
    "CentredViews": "ZeroMeanPose",
    "Chain": "Compose",
    "CommonShape": "SharedDepthOffset",
    "Level": "DegradationLevel",
    "LikeTeacher": "Distillation",
    "Maybe": "RandomApply",
    "MovedPhotos": "ShiftEquivariance",
    "OneOf": "RandomChoice",
    "Recipe": "DegradationRecipe",
    "Relief": "DepthVariance",
    "Shrunk": "DownUpsample",
    "Upright": "PitchPrior",
}


# Types of arguments that are checked: what they take, in Python and in words.
PLAIN: dict[Any, tuple[type, str]] = {
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    bool: (bool, "True or False"),
    str: (str, "a word"),
}


class PartRegistry(Registry):
    """A registry that builds dicts and passes built parts and None through."""

    def build(self, part: Any) -> Any:
        """The built part.

        Raises:
            PartError: no such part is registered, or it does not take one of the arguments.
        """
        if part is None or not isinstance(part, dict):
            return part
        arguments = dict(part)
        kind = self.find(arguments.pop("type", None))
        check_arguments(kind, arguments)
        return kind(**arguments)

    def find(self, kind: Any) -> type:
        """The class named by `kind`: a class, a dotted path or a short name."""
        if kind is None:
            raise PartError(f"a part for {self.name} needs a 'type'")
        if not isinstance(kind, str):
            if not callable(kind):
                raise PartError(f"'type' of {self.name} is a class or its name, not {kind!r}")
            return kind
        found = None
        if all(step.isidentifier() for step in kind.split(".")):
            home = kind.rpartition(".")[0]
            if home and (fault := fault_of(home)):
                raise PartError(f"'{kind}' was not imported: {fault}")
            try:
                found = self.get(kind)
            except (ImportError, RuntimeError, AttributeError):  # of a module on the way
                found = None
        if not inspect.isclass(found) and kind in RENAMED:
            raise PartError(f"'{kind}' is called '{RENAMED[kind]}' since 0.2.0")
        if not inspect.isclass(found):
            what = {"losses": "loss"}.get(self.name, self.name.removesuffix("s"))
            hint = near(kind, self.module_dict)
            if "did you mean" not in hint:
                hint += " (a part of your own: name its module in `custom_imports`)"
            raise PartError(f"no {what} is called '{kind}'{hint}")
        return found


def fault_of(module: str) -> str:
    """Why a module that is there cannot be imported; "" if it can be, or is not there."""
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        itself = error.name is not None and f"{module}.".startswith(f"{error.name}.")
        return "" if itself else f"{type(error).__name__}: {error}"
    except Exception as error:  # a module may raise anything
        return f"{type(error).__name__}: {error}"
    return ""


def check_arguments(kind: type, arguments: dict) -> None:
    """Raises PartError, naming the wrong argument, if `kind` does not accept `arguments`.

    Numbers, words and truth values are checked by the annotations of `kind`.
    """
    signature = inspect.signature(kind)
    takes = signature.parameters
    if any(p.kind is p.VAR_KEYWORD for p in takes.values()):
        return
    for name, value in arguments.items():
        if name not in takes:
            raise PartError(f"{kind.__name__} takes no '{name}'{near(name, takes)}")
        stated = takes[name].annotation
        kinds = get_args(stated) if isinstance(stated, UnionType) else (stated,)
        plain = [PLAIN[each] for each in kinds if each in PLAIN]
        if value is None or len(plain) < len(kinds) - (NoneType in kinds):
            continue  # not given, or also of other types
        if not any(isinstance(value, some) for some, _ in plain) or (
            isinstance(value, bool) and bool not in kinds
        ):
            expected = " or ".join(word for _, word in plain)
            raise PartError(f"{kind.__name__}: {name} is {expected}, not {value!r}")
    missing = [
        name
        for name, p in takes.items()
        if p.default is p.empty and p.kind is not p.VAR_POSITIONAL and name not in arguments
    ]
    if missing:
        raise PartError(f"{kind.__name__} needs '{missing[0]}', which is not given")


def _registry(name: str, *locations: str) -> PartRegistry:
    return PartRegistry(name, scope="l2rkit", locations=[f"l2rkit.{place}" for place in locations])


DEGRADATIONS = _registry("degradations", "degrade", "plugins")
RESTORERS = _registry("restorers", "restore", "plugins")
DECOMPOSERS = _registry("decomposers", "decompose", "plugins")
PRIORS = _registry("priors", "priors", "plugins")
REFINERS = _registry("refiners", "refine", "plugins")
RENDERERS = _registry("renderers", "render", "plugins")
LOSSES = _registry("losses", "losses", "plugins")
# Plain networks: discriminators, augmenters, feature extractors, identity embeddings, landmarks.
# A child of MMEngine's MODELS, so names registered there are found, too.
MODELS = PartRegistry(
    "models",
    parent=MMENGINE_MODELS,
    scope="l2rkit",
    locations=[
        f"l2rkit.{place}"
        for place in (
            *("adversary", "config", "identity", "landmarks", "losses", "priors", "view_student"),
            "plugins",
        )
    ],
)
