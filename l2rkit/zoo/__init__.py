"""Files that are shipped with the package: weights and sample photos. See LICENSES.md here."""

from pathlib import Path

from ..errors import WeightsError

FOLDER = Path(__file__).parent
# For a photo: what keeps the person best, by the protocol of people.
DEFAULT_CONFIG = "configs/l2r/l2r_openfaces.py"


def zoo_file(name: str) -> Path:
    """The shipped file called `name`.

    Raises:
        WeightsError: there is none.
    """
    path = FOLDER / name
    if not path.is_file():
        raise WeightsError(f"'{name}' is not shipped with l2rkit")
    return path


def weight_file(weights: str | Path) -> Path:
    """The file that a part's `weights` mean: a bare name is a shipped one, anything else a path.

    Raises:
        WeightsError: no such file is shipped.
    """
    bare = Path(weights).name == str(weights) and not Path(weights).suffix
    return zoo_file(f"{weights}.safetensors") if bare else Path(weights)


def shipped_weights(config: str | Path) -> Path:
    """The shipped weights of a config: those of its file's name.

    Raises:
        WeightsError: there are none.
    """
    name = f"{Path(config).stem}.safetensors"
    if not (FOLDER / name).is_file():
        raise WeightsError(f"no weights are shipped for {config} (no {name}); name a weight file")
    return FOLDER / name
