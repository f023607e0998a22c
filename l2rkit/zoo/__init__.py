"""Files that are shipped with the package: weights and sample photos. See LICENSES.md here."""

from pathlib import Path

from ..errors import WeightsError, near

FOLDER = Path(__file__).parent


def zoo_file(name: str) -> Path:
    """The shipped file called `name`.

    Raises:
        WeightsError: there is none.
    """
    path = FOLDER / name
    if not path.is_file():
        known = [p.name for p in FOLDER.iterdir() if p.suffix in (".safetensors", ".onnx")]
        raise WeightsError(f"no file called '{name}' is shipped{near(name, known)}")
    return path
