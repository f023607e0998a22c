"""docs/part.md, followed to the letter: its blocks are written to the files that they name."""

import re
from pathlib import Path

import pytest
from fresh import python

PAGE = (Path(__file__).parents[1] / "docs" / "part.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?:python|toml)\n# (\S+\.\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the page, in which Python runs."""
    (tmp_path / "my_parts").mkdir()
    for name, text in BLOCK.findall(PAGE):
        with (tmp_path / name).open("a") as file:
            file.write(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> str:
    done = python(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_files_of_the_page_are_all_of_a_package(place: Path) -> None:
    names = {path.name for path in (place / "my_parts").iterdir()}
    assert names == {"__init__.py", "haze.py", "test_haze.py", "hazy.py", "wall.py", "replacing.py"}
    assert run("-m", "pytest", "-q", "-p", "no:cacheprovider", "my_parts").count("2 passed") == 1
    configs = (
        "from l2rkit.config import load_config\n"
        "hazy = load_config('my_parts/hazy.py')\n"
        "assert 'Haze' in str(hazy.train_dataloader.dataset.pipeline[1])\n"
        "model = load_config('my_parts/replacing.py').model\n"
        "assert model.decompose.type.__name__ == 'Wall' and model.losses.grey"
    )
    run("-c", configs)


def test_an_installed_package_is_known_by_short_names(place: Path) -> None:
    described = (place / "pyproject.toml").read_text("utf-8")
    assert 'packages = ["my_parts"]' in described
    (point,) = re.findall(r'^\[project.entry-points."l2rkit.plugins"\]\n(.*)$', described, re.M)
    info = place / "my_parts-0.1.0.dist-info"  # what pip writes
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-parts\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(
        "[l2rkit.plugins]\n" + point.replace('"', "").partition("#")[0]
    )
    parts = (
        "from l2rkit.registry import DECOMPOSERS, DEGRADATIONS, LOSSES, REFINERS, RESTORERS\n"
        "RESTORERS.build(dict(type='Smoothed')), LOSSES.build(dict(type='GreyAlbedo'))\n"
        "DEGRADATIONS.build(dict(type='Haze')), REFINERS.build(dict(type='Even'))\n"
        "DECOMPOSERS.build(dict(type='Wall'))\n"
        "from l2rkit.plugins import STATES\n"
        "print(*STATES[0].parts)"
    )
    own = "DECOMPOSERS.Wall DEGRADATIONS.Haze LOSSES.GreyAlbedo REFINERS.Even RESTORERS.Smoothed"
    assert run("-c", parts).strip() == own
