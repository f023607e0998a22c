"""l2rkit: 3D faces from bad photos: methods to train, test and compare.

The names below are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors; nothing is imported before it is used
    from .apis.inferencer import FaceInferencer
    from .apis.reconstruction import Reconstruction
    from .apis.reconstructor import Reconstructor, reconstruct
    from .config import load_config, load_model
    from .model import FaceReconstructor
    from .structures import Face, Light, Scene

__version__ = "0.2.0"

_HOMES = {
    "Face": "structures",
    "FaceInferencer": "apis.inferencer",
    "Light": "structures",
    "Scene": "structures",
    "FaceReconstructor": "model",
    "load_config": "config",
    "load_model": "config",
    "Reconstruction": "apis.reconstruction",
    "Reconstructor": "apis.reconstructor",
    "reconstruct": "apis.reconstructor",
}
__all__ = [
    "Face",
    "FaceInferencer",
    "FaceReconstructor",
    "Light",
    "Reconstruction",
    "Reconstructor",
    "Scene",
    "load_config",
    "load_model",
    "reconstruct",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'l2rkit' has no attribute '{name}'")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
