"""Finds the checkpoint to resume from, and loads shipped weights for MMEngine."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.runner import CheckpointLoader
from torch import Tensor

from ..errors import WeightsError
from ..zoo import weight_file
from .files import BAD_ZIP
from .pickles import check_size, first_line
from .runs import Unreadable, meta_of, open_run
from .weights import read_weights


@CheckpointLoader.register_scheme(prefixes="zoo://")
def read_shipped(name: str, map_location: object = None) -> dict[str, dict[str, Tensor]]:
    """The shipped weights for MMEngine's `load_from = "zoo://unsup3d_heads2"`."""
    return {"state_dict": read_weights(weight_file(name))}


def checkpoint_to_resume(
    work_dir: str | Path, say: Callable[[str], None], only: str | Path | None = None
) -> tuple[Path, dict[str, Any]] | None:
    """The latest complete checkpoint of the run in `work_dir` and its `meta`, or None.

    `meta` has the keys and types of `runs.META`; the config in it is text. `only` names one file,
    in any folder. `say` gets one line that names the checkpoint and the incomplete ones that were
    skipped.

    Raises:
        WeightsError: all checkpoints are incomplete, or one is unsafe.
    """
    if only is not None and not Path(only).is_file():
        raise WeightsError(f"no checkpoint at {only}")
    passed = []
    for path in checkpoints_of(work_dir) if only is None else [Path(only)]:
        check_size(path)
        if reason := torn(path):
            passed.append(f"{path.name} is incomplete ({reason})")
            continue
        try:
            meta = meta_of(open_run(path), path)
        except Unreadable as error:
            passed.append(f"{path.name} is incomplete ({error})")
            continue
        say(f"{', '.join(passed)}{': ' if passed else ''}resuming from {path.name}")
        return path, meta
    if passed:
        raise WeightsError(f"no checkpoint in {only or work_dir} is complete: {', '.join(passed)}")
    return None


def checkpoints_of(work_dir: str | Path) -> list[Path]:
    """The checkpoints of the run in `work_dir`, the best one to resume from first.

    Checkpoints newer than the one in `last_checkpoint` come first, as a run killed in between never
    updates it. Older files with larger step numbers are from another run.
    """
    found = {}
    for path in Path(work_dir).glob("*.pth"):
        match = re.fullmatch(r"(iter|epoch)_(\d+)\.pth", path.name)
        if match and path.is_file():  # reading a pipe would block
            found[path] = int(match[2])
    said = Path(work_dir, "last_checkpoint")
    last = Path(said.read_text("utf-8", "replace").strip()) if said.is_file() else Path()
    here = Path(work_dir, last.name)  # the folder may have moved
    if here not in found and last.suffix == ".pth" and last.is_file():
        return [last]  # stored elsewhere
    if here not in found:
        return sorted(found, key=lambda p: (p.stat().st_mtime_ns, found[p]), reverse=True)
    since = said.stat().st_mtime_ns
    ours = [p for p in found if found[p] <= found[here] or p.stat().st_mtime_ns > since]
    return sorted(ours, key=found.__getitem__, reverse=True)


def torn(path: Path) -> str:
    """The damage in a checkpoint, as part of a message; "" for an intact file."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except BAD_ZIP as error:
        return first_line(error)
    return f"'{damaged}' in it is damaged" if damaged else ""
