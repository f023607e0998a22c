"""The files shipped with the package: weights and sample photos. LICENSES.md has their terms."""

from pathlib import Path

from ..errors import WeightsError

FOLDER = Path(__file__).parent
# The default for photos: the method with the best identity under the protocol `people`.
DEFAULT_CONFIG = "configs/l2r/l2r_openfaces.py"


def zoo_file(name: str) -> Path:
    """The path of the shipped file `name`.

    Raises:
        WeightsError: there is no such file.
    """
    path = FOLDER / name
    if not path.is_file():
        raise WeightsError(f"'{name}' is not shipped with l2rkit")
    return path


def weight_file(weights: str | Path) -> Path:
    """The path of `weights`: a name without suffix, or `zoo://NAME`, is a shipped file.

    Raises:
        WeightsError: no such file is shipped, or it is a folder.
    """
    name = str(weights).removeprefix("zoo://")
    bare = Path(name).name == name and not Path(name).suffix
    if Path(weights).is_dir():
        raise WeightsError(f"{weights} is a folder: name one of its weight files")
    if bare or name != str(weights):
        return zoo_file(f"{name}.safetensors")
    return Path(weights)


def shipped_weights(config: str | Path) -> Path:
    """The path of a config's shipped weights, which have the name of the config's file.

    Raises:
        WeightsError: there are none.
    """
    name = f"{Path(config).stem}.safetensors"
    if not (FOLDER / name).is_file():
        raise WeightsError(f"no weights are shipped for {config} (no {name}); name a weight file")
    return FOLDER / name
