"""Bad file names and paths give one line each; the other photos are written."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import trimesh
from click.testing import CliRunner, Result
from fresh import python

from l2rkit.cli import main
from l2rkit.cli.reconstruct import reconstruct
from l2rkit.cli.restore import restore
from l2rkit.errors import UserError, printable
from l2rkit.zoo import FOLDER

PHOTO = FOLDER / "samples" / "head.jpg"
TERMINAL = "a\x1b]0;owned\x07\r.jpg"
CASES = ["x" * 246 + ".jpg", "caf\udce9.jpg", TERMINAL, "my photo.jpg", "-rf.jpg", "ok.jpg"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in CASES:
        shutil.copy(PHOTO, folder / name)
    return folder


def made(config: Path, weights: Path, *words: object) -> Result:
    how = ["--config", config, "--weights", weights, "--no-align", "--format", "obj"]
    return CliRunner().invoke(reconstruct, [str(word) for word in [*how, *words]])


def test_odd_names_are_done_or_one_line(config, weights, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = made(config, weights, photos, "--out", out)
    assert result.exit_code == 1, result.output
    long, summary = result.stderr.strip().splitlines()
    assert "name too long" in long and summary == "1 of 6 photos failed"
    assert r"a\x1b]0;owned\x07\r.jpg" in result.stdout and r"caf\udce9.jpg" in result.stdout
    assert "\x1b" not in result.output and len(result.stdout.strip().splitlines()) == 6
    assert result.stdout.endswith(f"5 faces -> {out}/index.html\n")
    written = os.listdir(out)
    assert not [name for name in written if name.endswith(".part")]
    for name in CASES[1:]:
        assert {f"{name[:-4]}.npz", f"{name[:-4]}.obj"} <= set(written)
    again = made(config, weights, photos, "--out", out, "--skip-existing")
    assert again.stdout.count("are there") == 5


def test_names_within_files_are_plain_and_there(config, weights, photos, tmp_path) -> None:
    out = tmp_path / "out"
    made(config, weights, photos, "--out", out)
    named = []
    for name in CASES[1:]:
        text = (out / f"{name[:-4]}.obj").read_text("ascii")
        (line,) = [each for each in text.splitlines() if each.startswith("mtllib ")]
        (material,) = line.split(" ")[1:]
        (colours,) = [
            each.split(" ")[1:]
            for each in (out / material).read_text("ascii").splitlines()
            if each.startswith("map_Kd ")
        ]
        assert len(colours) == 1 and (out / colours[0]).is_file()
        named += [material, *colours]
    assert len(set(named)) == len(named) and "ok.mtl" in named
    assert len(list(out.glob("*.obj"))) == len(CASES) - 1, "without that of the long name"
    assert {path.name for path in out.glob("*.mtl")} <= set(named)
    mesh = trimesh.load(out / "my photo.obj", process=False)
    assert mesh.visual.material.image.size[0] >= 32


def test_a_folder_where_a_file_should_go_fails_alone(config, weights, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("one", "two"):
        shutil.copy(PHOTO, tmp_path / f"{name}.jpg")
    (out / "one.png").mkdir(parents=True)
    both = [tmp_path / "one.jpg", tmp_path / "two.jpg"]
    result = made(config, weights, *both, "--out", out)
    assert result.exit_code == 1 and (out / "two.npz").is_file()
    assert result.stderr.splitlines()[0].startswith("failed: cannot write ")
    assert not list(out.glob("*.part"))
    words = [*map(str, both), "--restorer", "Resample", "--out", str(out)]
    result = CliRunner().invoke(restore, words)
    assert result.exit_code == 1 and (out / "two.png").is_file()
    assert "one.png" in result.stderr and len(result.stderr.strip().splitlines()) == 2


FULL = """
import resource, sys
from l2rkit.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
main(sys.argv[1:])
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system has no such limit")
def test_a_full_disk_ends_the_run_in_one_line(tmp_path: Path) -> None:
    """The limit is the system's own, on the size of a file."""
    for name in ("one", "two"):
        shutil.copy(PHOTO, tmp_path / f"{name}.jpg")
    words = ["restore", "one.jpg", "two.jpg", "--restorer", "Resample", "--out", "out"]
    done = python("-c", FULL, *words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip() == "Error: the disk is full"
    assert os.listdir(tmp_path / "out") == []


def test_what_is_quoted_cannot_write_on_a_terminal() -> None:
    assert printable("ä 顔 a\x1b[2J\udce9\u202e") == r"ä 顔 a\x1b[2J\udce9\u202e"
    assert str(UserError("a\x1b[2J\nb")) == r"a\x1b[2J b"


def test_pipes_and_devices_are_one_line(config, weights, tmp_path: Path) -> None:
    """Before, `--skip-existing`'s digest read them to their end, which a pipe has not."""
    os.mkfifo(pipe := tmp_path / "pipe.jpg")
    writer = os.open(pipe, os.O_RDWR)  # a reader would wait for its words
    try:
        result = made(config, weights, pipe, "/dev/zero", PHOTO, "--out", tmp_path / "out")
    finally:
        os.close(writer)
    assert result.exit_code == 1 and len(result.stderr.strip().splitlines()) == 3
    assert result.stderr.count("is a pipe or a device; expected a file") == 2
    assert (tmp_path / "out" / "head.npz").is_file()


EMPTY = {
    "photos": ["reconstruct", "", "--out", "OUT"],
    "out": ["reconstruct", str(PHOTO), "--out", ""],
    "weights": ["reconstruct", str(PHOTO), "--out", "OUT", "--weights", ""],
    "work_dir": ["train", "unsup3d_heads_32", "--work-dir", ""],
    "config": ["print-config", ""],
    "restorer": ["restore", str(PHOTO), "--out", "OUT", "--restorer", ""],
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_variable_of_the_shell_that_is_not_set_is_one_line(name, tmp_path, monkeypatch) -> None:
    """Before, `--out ""` wrote into the current folder, `--weights ""` took the shipped ones."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, [word.replace("OUT", "out") for word in EMPTY[name]])
    assert done.exit_code == 2 and done.stderr == f"Error: '{name}' is empty; expected a word\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_no_room_for_what_is_said_is_one_line() -> None:
    code = "import sys; from l2rkit.cli.common import say, user_errors; import click\n"
    code += "click.command()(user_errors(lambda: [say('one'), say('two')]))()"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True
        )
    line = "Error: cannot write to the standard output: No space left on device\n"
    assert done.stderr == line and done.returncode == 2
