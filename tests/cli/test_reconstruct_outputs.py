"""`l2rkit reconstruct`: formats, sheets, animations, and continued runs."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner, Result
from PIL import Image

from l2rkit.apis.reconstruction import ANIMATIONS, endings
from l2rkit.cli.outputs import Writing
from l2rkit.cli.reconstruct import FORMATS, reconstruct
from l2rkit.io.files import png
from l2rkit.viz.formats import MESHES
from l2rkit.viz.panel import TILE
from l2rkit.zoo import FOLDER

HEAD = FOLDER / "samples" / "head.jpg"


@pytest.fixture
def run(config: Path, weights: Path, tmp_path: Path):
    def run(*words: object) -> Result:
        options = [
            "--config",
            config,
            "--weights",
            weights,
            "--out",
            tmp_path / "out",
            "--no-align",
        ]
        return CliRunner().invoke(reconstruct, [str(word) for word in [*words, *options]])

    return run


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_formats_of_the_command_are_those_of_the_package() -> None:
    assert tuple(MESHES) == FORMATS


def test_each_format_is_written_and_closed_to_scale(tmp_path: Path) -> None:
    options = ["--config", "configs/unsup3d/unsup3d_heads_32.py", "--out", str(tmp_path / "out")]
    kinds = [word for kind in FORMATS for word in ("--format", kind)]
    shape = ["--watertight", "--width-mm", "150"]
    result = CliRunner().invoke(reconstruct, [str(HEAD), *options, *kinds, *shape])
    assert result.exit_code == 0, result.output
    assert names(tmp_path / "out") == {f"head{ending}" for ending in endings(FORMATS)}
    assert all(ending in result.output for ending in endings(FORMATS))
    sizes = []
    for kind in FORMATS:
        mesh = trimesh.load(tmp_path / "out" / f"head.{kind}", force="mesh", process=kind == "stl")
        mesh.merge_vertices(merge_tex=True, merge_norm=True)  # the back has colours of its own
        assert mesh.is_volume and mesh.volume > 0, kind
        sizes.append(mesh.extents * (1000 if kind == "glb" else 1))
    np.testing.assert_allclose(sizes, [sizes[0]] * 4, rtol=1e-3)
    assert sizes[0][0] >= 150


def test_a_format_that_is_named_stands_for_glb(run, tmp_path: Path) -> None:
    assert run(HEAD, "--format", "ply").exit_code == 0
    assert names(tmp_path / "out") == {"head.npz", "head.ply", "head.png"}


def test_the_sheet_has_all_photos(run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a", "contact-sheet"):
        shutil.copy(HEAD, tmp_path / "photos" / f"{name}.jpg")
    result = run(tmp_path / "photos", "--sheet")
    assert result.exit_code == 0, result.output
    out = tmp_path / "out"
    assert "contact-sheet-2.png" in names(out)  # the panel of the other photo is still there
    sheet = np.asarray(Image.open(out / "contact-sheet-2.png"))
    panel = np.asarray(Image.open(out / "a.png"))
    np.testing.assert_array_equal(sheet[:TILE, :TILE], panel[-TILE:, :TILE])
    assert len(sheet) > 2 * TILE  # both photos are on it


def test_what_is_there_whole_is_not_done_again(run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in "ab":
        shutil.copy(HEAD, photos / f"{name}.jpg")
    assert run(photos).exit_code == 0
    out = tmp_path / "out"
    (out / "b.glb").unlink()  # b was cut short
    (out / "a.glb").write_bytes(b"as it was")
    result = run(photos, "--skip-existing", "--sheet")
    assert result.exit_code == 0, result.output
    assert "are there" in result.output.splitlines()[0] and "->" in result.output.splitlines()[1]
    assert (out / "a.glb").read_bytes() == b"as it was"
    assert (out / "b.glb").read_bytes()[:4] == b"glTF"
    assert len(np.asarray(Image.open(out / "contact-sheet.png"))) > 2 * TILE  # skipped ones, too
    assert "are there" not in run(photos, "--skip-existing", "--format", "stl").output
    assert (out / "a.glb").read_bytes() == b"as it was"  # a.stl was missing
    assert "are there" not in run(photos).output
    assert (out / "a.glb").read_bytes()[:4] == b"glTF"


def test_moving_pictures(run, tmp_path: Path) -> None:
    result = run(HEAD, "--turntable", "--relight")
    assert result.exit_code == 0, result.output
    assert names(tmp_path / "out") == {f"head{e}" for e in endings(("glb", *ANIMATIONS))}
    for ending in ANIMATIONS.values():
        assert Image.open(tmp_path / "out" / f"head{ending}").n_frames == 24


def test_the_first_face_is_written_last(tmp_path: Path) -> None:
    class Face:
        def save(self, folder: Path, name: str, formats: tuple, source: str) -> None:
            order.append(name)
            for ending in endings(formats):
                (folder / f"{name}{ending}").write_bytes(png(Image.new("L", (1, 1)), source))
            np.savez(folder / f"{name}.npz")

    order: list[str] = []
    writing = Writing(("glb",), {}, skip_existing=True)
    writing.write([Face(), Face(), Face()], tmp_path, "x", "this")
    assert order == ["x-face3", "x-face2", "x"]
    again = Writing(("glb",), {}, skip_existing=True)
    assert again.skipped(tmp_path, "x", "this") and again.panels == writing.panels
    assert [p.name for p in again.panels] == ["x.png", "x-face2.png", "x-face3.png"]
    assert not Writing(("glb",), {}).skipped(tmp_path, "x", "this")
    assert not again.skipped(tmp_path, "y", "this")
    assert not again.skipped(tmp_path, "x", "that") and not again.skipped(tmp_path, "x", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--width-mm", 0), "--width-mm is above 0"),
        (("--width-mm", "nan"), "--width-mm is above 0"),
        (("--texture-size", 1), "1 is not in the range"),
        (("--format", "fbx"), "'fbx' is not one of"),
        (("--device", "warp"), "no device 'warp' here; there is cpu"),
    ],
)
def test_wrong_wishes_are_refused_before_work_begins(run, words, said, tmp_path: Path) -> None:
    result = run(HEAD, *words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr and "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_face_without_a_mesh_fails_alone(run, monkeypatch, tmp_path: Path) -> None:
    from l2rkit.errors import UserError

    def broken(face: object, *shape: object) -> None:
        raise UserError("no mesh of this face")

    monkeypatch.setattr("l2rkit.apis.reconstruction.mesh_of", broken)
    result = run(HEAD, "--sheet")
    assert result.exit_code == 1 and "no mesh of this face" in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_background_is_kept_when_asked_for(run, tmp_path: Path) -> None:
    sizes = []
    for words in ((), ("--keep-background",)):
        assert run(HEAD, *words).exit_code == 0
        sizes.append(len(trimesh.load(tmp_path / "out" / "head.glb", force="mesh").vertices))
    side = round(sizes[1] ** 0.5)
    assert sizes[1] == side**2 and sizes[0] < 0.85 * sizes[1]


def test_the_size_of_textures_is_that_which_was_asked_for(run, tmp_path: Path) -> None:
    # a photo of 256 px, and an eighth of them as wide between the outermost pixel centres
    for words, size in (((), 31 * 8 + 1), (("--texture-size", 50), 50)):
        assert run(HEAD, "--format", "obj", *words).exit_code == 0
        assert Image.open(tmp_path / "out" / "head-albedo.png").size == (size, size)
