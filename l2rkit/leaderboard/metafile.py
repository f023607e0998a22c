"""The model index in OpenMMLab's format: model-index.yml, and one metafile.yml per method."""

import re
from pathlib import Path
from typing import Any

import yaml

from ..zoo import FOLDER
from .columns import COLUMNS
from .results import digest
from .table import method, unrestored

LEVELS = ("clean", "severe")
TASKS = {
    "side": "3D Face Reconstruction",
    "psnr": "Face Restoration",
    "fmd": "Image Generation",
    "render_psnr": "Rendering",
    "rank1_own": "Reconstruction of People",
}
NOTE = "# Made by tools/leaderboard.py --out model-zoo.md from the results; not to be edited.\n"


def metafile(folder: Path, entries: list[dict[str, Any]]) -> str:
    """metafile.yml of a method's folder: the collection, and each model's results at `LEVELS`.

    Models of projects, which are not installed, are left out of the metafiles in `configs/`.
    """
    if "projects" not in folder.parts:
        entries = [e for e in entries if not config(e).startswith("projects/")]
    name, paper = titles(folder / "README.md")
    collection = {"Name": name, "README": (folder / "README.md").as_posix()}
    if paper:
        collection["Paper"] = {"Title": paper}
    models: dict[str, dict[str, Any]] = {}
    for entry in sorted(entries, key=lambda e: LEVELS.index(e["level"])):
        model = {"Name": method(entry), "In Collection": name, "Config": config(entry)}
        if entry["supervision"]:
            model["Metadata"] = {"Training Supervision": entry["supervision"]}
        weights = FOLDER / f"{entry['config']}.safetensors"
        if weights.is_file() and entry["weights_sha256"] == digest(weights):
            model["Weights"] = f"l2rkit/zoo/{weights.name}"
        models.setdefault(method(entry), {**model, "Results": []})["Results"].append(
            {
                "Task": next(TASKS[key] for key in TASKS if key in entry["metrics"]),
                "Dataset": f"{entry['protocol']}, {entry['level']}, {entry['n']} images",
                "Metrics": {
                    COLUMNS[key].title: entry["metrics"][key]["mean"]
                    for key in COLUMNS
                    if key in entry["metrics"]
                },
            }
        )
    return NOTE + dump({"Collections": [collection], "Models": list(models.values())})


def index(metafiles: list[Path]) -> str:
    """model-index.yml: the paths of the metafiles; those of projects are not installed."""
    return NOTE + dump({"Import": [p.as_posix() for p in metafiles if p.parts[0] == "configs"]})


def listed(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries for metafiles: those of `LEVELS` and `TASKS`, without unrestored photos."""
    some = [e for e in entries if e["level"] in LEVELS and TASKS.keys() & e["metrics"].keys()]
    return [e for e in some if not unrestored(e)]


def titles(readme: Path) -> tuple[str, str | None]:
    """The title of a method's README, and the first paper's title in its first paragraph."""
    head, _, rest = (
        readme.read_text("utf-8").partition("\n\n") if readme.is_file() else ("", "", "")
    )
    paper = re.search(r"\*([^*]+)\*", rest.partition("\n\n")[0])
    name = head.removeprefix("# ").strip() or readme.parent.name
    return name, paper and " ".join(paper[1].split())


def config(entry: dict[str, Any]) -> str:
    """The path of the config in an entry's command."""
    words = entry["command"].split()[2:]
    return next((word for word in words if word.endswith(".py")), entry["config"])


def dump(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
