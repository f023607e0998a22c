"""Rules of style that a machine can check."""

import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from mmengine.config import Config

from l2rkit.cli.leaderboard import leaderboard
from l2rkit.config import load_config
from l2rkit.zoo import weight_file

ROOT = Path(__file__).parents[1]
FOLDERS = ("l2rkit", "configs", "tools", "projects", "tests")
SOURCES = [p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*.py"))]
CONFIGS = [p for p in sorted((ROOT / "configs").glob("*/*.py")) if p.parent.name != "_base_"]


def test_files_are_short() -> None:
    lengths = {p: len(p.read_text("utf-8").splitlines()) for p in SOURCES}
    assert max(lengths.values()) <= 400, max(lengths, key=lengths.get)
    assert statistics.median(lengths.values()) < 200


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_config_loads_and_dumps(path: Path) -> None:
    config = load_config(path)
    assert f"type='l2rkit.{config.model.type.__module__.split('.')[1]}." in config.pretty_text


def kept_steps(config: Config) -> set[int]:
    """The steps whose checkpoints a finished run has kept, as MMEngine's CheckpointHook does it."""
    hook, last = config.default_hooks.checkpoint, config.train_cfg.max_iters
    saved = sorted({*range(hook.interval, last + 1, hook.interval), last})
    return set(saved if hook.max_keep_ckpts < 0 else saved[-hook.max_keep_ckpts :])


def numbered(text: str) -> list[str]:
    """What a config takes from a list by its place, such as `custom_hooks[0]`."""
    return re.findall(r"[\w\]]\[-?\d+\]|[\w\]]\[-?\d*:-?\d*\]|\.pop\(-?\d+\)", text)


def test_configs_take_nothing_by_its_place_in_a_list() -> None:
    text = 'a[0]["b"] = 1; a["b"][1]; c = a[1:]; a.pop(0)'
    assert numbered(text) == ["a[0]", "][1]", "a[1:]", ".pop(0)"]
    found = {path.name: numbered(path.read_text()) for path in (ROOT / "configs").rglob("*.py")}
    assert not {name: places for name, places in found.items() if places}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_what_a_config_goes_on_from_is_kept_by_the_run_before(path: Path) -> None:
    start = load_config(path).get("load_from")
    if start is None:
        return
    if start.startswith("zoo://"):
        assert weight_file(start.removeprefix("zoo://")).is_file()
        return
    stem, step = re.fullmatch(r"work_dirs/(\w+)/iter_(\d+)\.pth", start).groups()
    (before,) = [p for p in CONFIGS if p.stem == stem]
    assert int(step) in kept_steps(load_config(before))


def test_the_model_zoo_is_what_the_results_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(leaderboard, ["--out", "model-zoo.md", "--check"])
    assert result.exit_code == 0, result.output


def test_tools_run_by_themselves() -> None:
    """A tool that imports another one starts only where the clone is on Python's path."""
    for path in ROOT.glob("tools/**/*.py"):
        lines = path.read_text().splitlines()
        assert not [line for line in lines if re.match(r"\s*(from|import) tools\b", line)], path


def test_importing_the_package_imports_no_torch() -> None:
    code = "import sys, l2rkit, l2rkit.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
