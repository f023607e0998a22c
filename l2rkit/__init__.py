"""l2rkit: 3D faces from bad photos, trained, tested and compared in one place.

The names below are imported when they are first used.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_HOMES = {
    "Face": "structures",
    "Light": "structures",
    "Scene": "structures",
    "FaceReconstructor": "model",
    "load_config": "config",
    "load_model": "config",
    "Reconstruction": "apis.reconstruction",
    "Reconstructor": "apis.reconstructor",
    "reconstruct": "apis.reconstructor",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'l2rkit' has no attribute '{name}'")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
