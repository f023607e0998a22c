"""The entries of results.json: metrics with the command, commit and weights that reproduce them.

results.npz beside it has the per-image figures: an array (n,) float32 for each entry and metric
under `identity(entry).metric`. Old entries have none.
"""

import hashlib
import io
import json
import math
import os
import platform
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from ..errors import DataError, UserError
from ..io import reading
from ..io.files import write_atomic
from ..zoo import FOLDER

if TYPE_CHECKING:  # MMEngine is slow to import, and entries do not need it
    from mmengine.config import Config

# A new entry replaces an old one with the same values of these, and the same `options`.
SAME = ("config", "weights_sha256", "protocol", "level", "restore", "seed", "n")
# Overrides that are no options, as other keys tell them, or no figure depends on them.
APART = ("protocol", "test_dataloader.dataset.size", "test_dataloader.dataset.people")
APART += ("test_dataloader.batch_size", "test_dataloader.num_workers", "work_dir")
# keys that tables need, and their types
NAMED = dict(config=str, protocol=str, level=str, n=int, supervision=str)
# what entries without these keys have
DEFAULTS = dict(
    weights_sha256=None,
    supervision="",
    options=[],
    photos_per_person=1,
    seed=None,
    commit="unknown",
    hardware="unknown",
    command="unknown",
    date="",
)


def entry(
    cfg: "Config",
    config: str | Path,
    weights: Path | None,
    figures: dict[str, float],
    n: int,
    overrides: dict[str, Any],
    supervision: str,
    photos_per_person: int = 1,
) -> dict[str, Any]:
    """One entry: the `figures` measured on `n` images, and how they were measured.

    weights None: the model has none. supervision: that of the config with its losses, from
    `supervision_of`. photos_per_person: so many successive images show the same person.
    """
    words = [str(config)]
    if weights is not None and weights.parent != FOLDER:
        words.append(str(weights))
    options = sorted(f"{key}={value}" for key, value in overrides.items() if key not in APART)
    level, restore = cfg.get("level", "clean"), cfg.model.get("restore")
    if measured_by := cfg.get("measured_by"):
        words += ["--protocol", measured_by]
    if level != "clean":
        words += ["--level", level]
    if restore:
        words += ["--restore", _kind(restore)]
        for key, value in restore.items():
            words += ["--restorer-options", f"{key}={value}"] if key != "type" else []
    for key, value in overrides.items():
        words += ["--cfg-options", f"{key}={value}"]
    return {
        "config": Path(config).stem,
        "weights_sha256": weights and digest(weights),
        "protocol": cfg.get("protocol", "unnamed"),
        "level": level,
        "restore": named(restore) if restore else "none",
        "options": options,
        "supervision": supervision,
        "metrics": _nested(figures),
        "n": n,
        "photos_per_person": photos_per_person,
        "seed": cfg.get("randomness", {}).get("seed"),
        "commit": commit(),
        "hardware": hardware(),
        "command": f"python tools/test.py {shlex.join(words)}",
        "date": date.today().isoformat(),
    }


def digest(weights: Path) -> str:
    """SHA-256 of a weight file."""
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def identity(entry: dict[str, Any]) -> str:
    """16 hexadecimal digits, a hash of the values of `SAME` and of the options, if any."""
    values = [entry.get(key) for key in SAME]
    values += [entry["options"]] if entry.get("options") else []
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]


def named(restore: dict[str, Any]) -> str:
    """`Spandrel(weights=GFPGANv1.4.pth)`: a restorer and its arguments, paths by their names."""
    arguments = [f"{k}={_short(str(v))}" for k, v in restore.items() if k != "type"]
    kind = _kind(restore)
    return f"{kind}({', '.join(arguments)})" if arguments else kind


def _short(value: str) -> str:
    """A path's name; with its folder for a training's checkpoint, whose name many have."""
    path = Path(value)
    of_training = re.fullmatch(r"(iter|epoch)_\d+\.pth", path.name)
    return str(Path(path.parent.name, path.name)) if of_training else path.name


def _kind(restore: dict[str, Any]) -> str:
    """The name of a restorer's class, which a config may give as the class itself."""
    return getattr(restore["type"], "__name__", restore["type"])


def enter(
    made: dict[str, Any], path: Path, each: Mapping[str, Sequence[float]] | None = None
) -> dict[str, Any] | None:
    """Writes an entry to the list in `path`, in place of one with the same `identity`, if any.

    Returns the entry that was there. Several processes may enter theirs at once. Nothing is entered
    if a mean is not finite.

    `each`, the per-image figures by metric, goes into results.npz beside it. That file is written
    first: if the process is killed between the two, `read_entries` sees that they differ.

    Raises:
        UserError: a file cannot be read or written, or a figure is not known.
    """
    unknown = [name for name, own in made["metrics"].items() if not math.isfinite(own["mean"])]
    if unknown:
        of_such = "cannot be known of such faces"
        raise UserError(f"nothing is entered in {path}: {', '.join(unknown)} {of_such}")
    place = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    try:
        with FileLock(Path(gettempdir(), f"l2rkit-{place}.lock")):
            return _entered(made, path, each or {})
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"no entry in {path}: {error}") from None


def _entered(
    made: dict[str, Any], path: Path, each: Mapping[str, Sequence[float]]
) -> dict[str, Any] | None:
    entries = reading.read_json(path) if path.exists() else []
    kept = [old for old in entries if identity(old) != identity(made)]
    known = {identity(old) for old in kept}
    arrays = read_arrays(path.with_suffix(".npz"))
    arrays = {key: array for key, array in arrays.items() if key.partition(".")[0] in known}
    new = {f"{identity(made)}.{name}": values for name, values in each.items()}
    if new or path.with_suffix(".npz").exists():
        write_atomic(path.with_suffix(".npz"), packed(arrays | new))
    write_atomic(path, (json.dumps([*kept, made], indent=2) + "\n").encode())
    return next((old for old in entries if old not in kept), None)


def packed(arrays: Mapping[str, Sequence[float]]) -> bytes:
    """A compressed .npz of float16 arrays, the same bytes for the same arrays."""
    file = io.BytesIO()
    ordered = {key: np.asarray(arrays[key], np.float16) for key in sorted(arrays)}
    np.savez_compressed(file, **ordered)  # NumPy dates every member 1980
    return file.getvalue()


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a results.npz, by key, in float32; none if there is no such file.

    Raises:
        DataError: the file is damaged, or an array is not (n,) of floats.
    """
    if not path.exists():
        return {}
    try:
        arrays = reading.read_arrays(path)
    except DataError as error:
        raise DataError(f"{path} does not hold figures of images: {error}") from None
    if any(array.ndim != 1 or array.dtype.kind != "f" for array in arrays.values()):
        raise DataError(f"{path} does not hold figures of images: a row of floats for each metric")
    return {key: array.astype(np.float32) for key, array in arrays.items()}


def read_entries(path: Path) -> list[dict[str, Any]]:
    """The entries of one results.json, with `each`: the per-image figures (n,) by metric.

    What an entry does not say is that of `DEFAULTS`. Per-image figures whose mean is not the
    entry's are of another run and are left out.

    Raises:
        DataError: the file is not a results file.
    """
    try:
        entries = [
            {
                **DEFAULTS,
                **entry,
                "metrics": {name: _spread(own) for name, own in entry["metrics"].items()},
            }
            for entry in reading.read_json(path)
        ]
        if any(type(entry[key]) is not kind for entry in entries for key, kind in NAMED.items()):
            raise TypeError(*NAMED)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise DataError(f"{path} is not a results file ({type(error).__name__})") from None
    arrays = read_arrays(path.with_suffix(".npz"))
    return [{**entry, "each": _each(entry, arrays)} for entry in entries]


def _spread(figures: dict[str, Any]) -> dict[str, float]:
    """The figures of a metric. Raises KeyError without `mean`, TypeError if one is no number."""
    if "mean" not in figures:
        raise KeyError("mean")
    return {name: value + 0.0 for name, value in figures.items()}


def _each(entry: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    own = {name: arrays.get(f"{identity(entry)}.{name}") for name in entry["metrics"]}
    return {
        name: values
        for name, values in own.items()
        if values is not None
        and len(values) == entry["n"]
        and math.isclose(  # means are kept with 4 digits, figures of images in half precision
            values.mean(dtype=float), entry["metrics"][name]["mean"], rel_tol=2**-11, abs_tol=1e-4
        )
    }


def commit() -> str:
    """The working copy's commit, with '+' if its code has changed.

    'unknown' without git, and for code in a folder that git does not track.
    """

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        place = str(Path(__file__).parent)
        return subprocess.run(["git", "-C", place, *words], capture_output=True, text=True)

    try:
        if git("ls-files", "--error-unmatch", Path(__file__).name).returncode:
            return "unknown"
        changed = git("diff", "--quiet", "HEAD", "--", ":/*.py").returncode
        return git("rev-parse", "--short", "HEAD").stdout.strip() + "+" * bool(changed)
    except OSError:
        return "unknown"


def hardware() -> str:
    """The processor and its number of cores."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return f"{model}, {os.cpu_count()} cores"


def _nested(figures: dict[str, float]) -> dict[str, dict[str, float]]:
    """`{"side": 1, "side_std": 2}` as `{"side": {"mean": 1, "std": 2}}`."""
    nested = {}
    for name, value in figures.items():
        if not name.endswith("_std"):
            nested[name] = {"mean": round(value, 4)}
            if f"{name}_std" in figures:
                nested[name]["std"] = round(figures[f"{name}_std"], 4)
    return nested
