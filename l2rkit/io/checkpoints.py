"""The checkpoints that a run goes on from, and the shipped weights that MMEngine loads."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.runner import CheckpointLoader
from torch import Tensor

from ..errors import WeightsError
from ..zoo import zoo_file
from .pickles import check_size, first_line
from .runs import Unreadable, meta_of, open_run
from .weights import read_weights


@CheckpointLoader.register_scheme(prefixes="zoo://")
def read_shipped(name: str, map_location: object = None) -> dict[str, dict[str, Tensor]]:
    """What MMEngine loads for `load_from = "zoo://unsup3d_heads"`: the weights so called."""
    path = zoo_file(f"{name.removeprefix('zoo://')}.safetensors")
    return {"state_dict": read_weights(path)}


def checkpoint_to_resume(
    work_dir: str | Path, say: Callable[[str], None], only: str | Path | None = None
) -> tuple[Path, dict[str, Any]] | None:
    """The latest whole checkpoint of the run in `work_dir`, and its `meta`; None before the first.

    `meta` is data by the keys and types of `runs.META`; the config in it is text. With `only` it is
    that file, wherever it lies.

    `say` is told, in one line, which it is, and which were passed over as they are not whole.

    Raises:
        WeightsError: none of those that there are is whole, or one is refused.
    """
    if only is not None and not Path(only).is_file():
        raise WeightsError(f"no checkpoint at {only}")
    passed = []
    for path in checkpoints_of(work_dir) if only is None else [Path(only)]:
        check_size(path)
        if reason := torn(path):
            passed.append(f"{path.name} is not whole ({reason})")
            continue
        try:
            meta = meta_of(open_run(path), path)
        except Unreadable as error:
            passed.append(f"{path.name} is not whole ({error})")
            continue
        say(f"{', '.join(passed)}{': ' if passed else ''}going on from {path.name}")
        return path, meta
    if passed:
        raise WeightsError(f"no checkpoint in {only or work_dir} is whole: {', '.join(passed)}")
    return None


def checkpoints_of(work_dir: str | Path) -> list[Path]:
    """The checkpoints of the run in `work_dir` in the order in which it may be resumed from them.

    First those that came after the one that `last_checkpoint` names: whoever is killed between the
    two does not get to say so. Larger numbers that are older than that are from another run.
    """
    found = {}
    for path in Path(work_dir).glob("*.pth"):
        match = re.fullmatch(r"(iter|epoch)_(\d+)\.pth", path.name)
        if match and path.is_file():  # a pipe never ends
            found[path] = int(match[2])
    said = Path(work_dir, "last_checkpoint")
    last = Path(said.read_text("utf-8", "replace").strip()) if said.is_file() else Path()
    here = Path(work_dir, last.name)  # the folder may have moved
    if here not in found and last.suffix == ".pth" and last.is_file():
        return [last]  # kept elsewhere
    if here not in found:
        return sorted(found, key=lambda p: (p.stat().st_mtime_ns, found[p]), reverse=True)
    since = said.stat().st_mtime_ns
    ours = [p for p in found if found[p] <= found[here] or p.stat().st_mtime_ns > since]
    return sorted(ours, key=found.__getitem__, reverse=True)


def torn(path: Path) -> str:
    """What tells that a checkpoint is not as it was written; "" if nothing does."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        return first_line(error)
    return f"'{damaged}' in it is damaged" if damaged else ""
