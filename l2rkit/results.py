"""Figures with what it takes to get them again: the entries of results.json."""

import hashlib
import json
import os
import platform
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .errors import UserError
from .files import write_whole
from .zoo import FOLDER

# Entries that agree in these speak of the same thing; the newer one replaces the older.
SAME = ("config", "weights_sha256", "protocol", "level", "restore", "seed", "n")


def entry(
    cfg: Config,
    config: str | Path,
    weights: Path | None,
    figures: dict[str, float],
    n: int,
    overrides: dict[str, Any],
) -> dict[str, Any]:
    """One entry: what was measured on `n` images, and how; `weights` None: the model has none."""
    words = [str(config)]
    if weights is not None and weights.parent != FOLDER:
        words.append(str(weights))
    level, restore = cfg.get("level", "clean"), cfg.model.get("restore")
    if level != "clean":
        words.append(f"--level {level}")
    if restore:
        words.append(f"--restore {restore['type']}")
        words += [f"--restorer-options {k}={v}" for k, v in restore.items() if k != "type"]
    words += [f"--cfg-options {key}={value}" for key, value in overrides.items()]
    return {
        "config": Path(config).stem,
        "weights_sha256": weights and hashlib.sha256(weights.read_bytes()).hexdigest(),
        "protocol": cfg.get("protocol", "unnamed"),
        "level": level,
        "restore": named(restore) if restore else "none",
        "metrics": _nested(figures),
        "n": n,
        "seed": cfg.get("randomness", {}).get("seed"),
        "commit": commit(),
        "hardware": hardware(),
        "command": f"python tools/test.py {' '.join(words)}",
        "date": date.today().isoformat(),
    }


def named(restore: dict[str, Any]) -> str:
    """`Spandrel(weights=GFPGANv1.4.pth)`: a restorer and its arguments, of paths the last part."""
    arguments = [f"{k}={Path(str(v)).name}" for k, v in restore.items() if k != "type"]
    kind = getattr(restore["type"], "__name__", restore["type"])
    return f"{kind}({', '.join(arguments)})" if arguments else kind


def enter(made: dict[str, Any], path: Path) -> None:
    """Puts an entry into the list in `path`, in place of one that speaks of the same thing."""
    try:
        entries = json.loads(path.read_text("utf-8")) if path.exists() else []
        kept = [old for old in entries if any(old.get(key) != made[key] for key in SAME)]
        write_whole(path, (json.dumps([*kept, made], indent=2) + "\n").encode())
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"no entry in {path}: {error}") from None


def commit() -> str:
    """The working copy's commit, with '+' if its code has changed; 'unknown' outside of one."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        )
        changes = subprocess.run(
            [*git, "diff", "--quiet", "HEAD", "--", ":/*.py"], capture_output=True
        )
    except OSError:
        return "unknown"
    return head.stdout.strip() + ("+" if changes.returncode else "") or "unknown"


def hardware() -> str:
    """The processor and how many cores it has."""
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
