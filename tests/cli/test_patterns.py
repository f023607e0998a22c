"""Photos by patterns, and the page of several photos."""

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from l2rkit.cli import main
from l2rkit.cli.paths import paths_of
from l2rkit.errors import UserError
from l2rkit.io.names import VIDEOS
from l2rkit.zoo import FOLDER

HEAD = FOLDER / "samples" / "head.jpg"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in ("a.jpg", "b.PNG", "deep/er/c.jpg", "deep/notes.txt", "deep/d.mp4", "[x].jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def found(folder: Path, pattern: str, *written: Path, **how: object) -> list[str]:
    paths = paths_of([f"{folder}/{pattern}"], *written, **how)
    return [path.relative_to(folder).as_posix() for path in paths]


def test_a_pattern_stands_for_the_photos_that_it_matches(photos: Path) -> None:
    assert found(photos, "*") == ["[x].jpg", "a.jpg", "b.PNG"]
    assert found(photos, "?.*") == ["a.jpg", "b.PNG"]
    assert found(photos, "**/*.jpg") == ["[x].jpg", "a.jpg", "deep/er/c.jpg"]
    assert found(photos, "[a-b].*") == ["a.jpg", "b.PNG"]
    assert found(photos, "deep/**", suffixes=VIDEOS) == ["deep/d.mp4", "deep/er/c.jpg"]


def test_what_is_there_is_no_pattern(photos: Path) -> None:
    assert found(photos, "[x].jpg") == ["[x].jpg"]
    assert found(photos, "none.jpg") == ["none.jpg"]  # reading it is the error


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("*.gif", "no photo matches '{}'"),
        ("none/**/*.jpg", "no photo matches '{}'"),
        ("deep/*.txt", "no photo matches '{}': the 1 files that it matches are none"),
    ],
)
def test_a_pattern_that_matches_nothing_is_one_line(photos, pattern: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        found(photos, pattern)
    assert str(error.value).startswith(said.format(f"{photos}/{pattern}"))


def test_what_a_run_wrote_is_not_matched(photos: Path) -> None:
    out = photos / "out"
    out.mkdir()
    shutil.copy(photos / "a.jpg", out / "z.jpg")
    assert "out/z.jpg" not in found(photos, "**/*.jpg", out)
    assert "out/z.jpg" in found(photos, "**/*.jpg")


@pytest.fixture
def run(config: Path, weights: Path, tmp_path: Path):
    def run(*words: object) -> Result:
        options = ["--config", config, "--weights", weights, "--no-align"]
        words = ("reconstruct", *words, *options, "--out", tmp_path / "out")
        return CliRunner().invoke(main, [str(word) for word in words])

    return run


def test_several_photos_get_a_page(run, tmp_path: Path) -> None:
    names, page = ["one", "<b>two & three<|b>"], tmp_path / "out" / "index.html"
    (tmp_path / "d").mkdir()
    for name in names:
        Image.open(HEAD).resize((40, 40)).save(tmp_path / "d" / f"{name}.jpg")
    assert run(f"{tmp_path}/d/one*").exit_code == 0 and not page.exists()  # one photo
    assert run(f"{tmp_path}/d/*", "--no-index").exit_code == 0 and not page.exists()
    done = run(f"{tmp_path}/d/*")
    assert done.exit_code == 0 and f"2 faces -> {page}" in done.stdout, done.output
    text = page.read_text("utf-8")
    assert text.count("<article>") == 2 and "&lt;b&gt;two &amp; three&lt;|b&gt;" in text
    page.unlink()
    skipped = run(f"{tmp_path}/d", "--skip-existing")
    assert "->" not in skipped.stdout.splitlines()[0] and page.read_text("utf-8") == text
    assert run(tmp_path / "d" / "one.jpg", "--index").exit_code == 0  # its own is written again
    assert page.read_text("utf-8").count("<article>") == 1


def test_a_page_of_somebody_s_is_not_written_over(run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    page = tmp_path / "out" / "index.html"
    page.write_text("<html>my own</html>")
    for name in "ab":
        Image.open(HEAD).resize((40, 40)).save(tmp_path / f"{name}.jpg")
    refused = run(f"{tmp_path}/*.jpg")
    assert refused.exit_code == 2 and os.listdir(tmp_path / "out") == ["index.html"]
    (line,) = refused.stderr.strip().splitlines()
    assert "index.html is there, and is none of l2rkit's" in line
    assert run(f"{tmp_path}/*.jpg", "--no-index").exit_code == 0
    assert run(tmp_path / "a.jpg").exit_code == 0
    assert page.read_text() == "<html>my own</html>"


def test_nothing_that_matches_is_one_line_of_both_commands(run, tmp_path: Path) -> None:
    words = ["restore", f"{tmp_path}/*.jpg", "--out", str(tmp_path / "out")]
    for result in (run(f"{tmp_path}/*.jpg"), CliRunner().invoke(main, words)):
        assert result.exit_code == 2 and len(result.stderr.strip().splitlines()) == 1
        assert "no photo matches" in result.stderr
