"""`l2rkit demo` is `make demo`, and no document says to install l2rkit from PyPI."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from l2rkit.cli import demo as module
from l2rkit.cli import main

ROOT = Path(__file__).parents[2]


def test_each_step_is_a_command_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    steps: list[tuple[str, ...]] = []
    monkeypatch.setattr(module, "run", lambda *words: steps.append(words))
    done = CliRunner().invoke(main, ["demo", "--iterations", "7"])
    assert done.exit_code == 0, done.output
    assert [step[0] for step in steps] == ["reconstruct", "train", *["test"] * 3, "leaderboard"]
    for name, *words in steps:
        command = main.get_command(click.Context(main), name)
        found = command.make_context(name, words).params
        if name == "train":
            assert found["cfg_options"]["train_cfg.max_iters"] == 7
        assert all(Path(photo).is_file() for photo in found.get("photos", ()))
        config = found.get("config", "")
        assert (
            config.startswith("configs/") and (ROOT / config).is_file()
        ) or name == "leaderboard"


def test_a_step_that_fails_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        module.run("reconstruct")
    assert ended.value.code == 2


def test_make_demo_is_the_command() -> None:
    made = re.search(r"^demo:.*\n\t(.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert made[1] == "$(BIN)/python tools/demo.py --out $(DEMO)"
    assert "from l2rkit.cli.demo import demo" in (ROOT / "tools/demo.py").read_text()


def test_nothing_is_to_be_installed_that_is_nowhere() -> None:
    """The package is on no index: extras are installed by their own packages' names."""
    texts = [p for place in ("l2rkit", "tools") for p in (ROOT / place).rglob("*.py")]
    texts += [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/*/README.md")]
    advice = re.compile(r"pip install [^\n`;&]*\bl2rkit\b")
    assert len(texts) > 100
    assert [str(p) for p in texts if advice.search(p.read_text("utf-8"))] == []
