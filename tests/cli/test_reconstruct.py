"""`l2rkit reconstruct`: outputs and errors."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import trimesh
from click.testing import CliRunner, Result
from PIL import Image

from l2rkit.cli.reconstruct import reconstruct
from l2rkit.config import load_model
from l2rkit.data.crops import whole
from l2rkit.io.names import output_names
from l2rkit.io.weights import write_weights
from l2rkit.zoo import FOLDER

PORTRAIT = FOLDER / "samples" / "portrait_3.jpg"


def run(*words: object) -> Result:
    return CliRunner().invoke(reconstruct, [str(word) for word in words])


def one_line(result: Result) -> str:
    """What was said on the error stream, which must be one line and no traceback."""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_writes_what_the_contract_names(config: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(PORTRAIT, "--config", config, "--weights", weights, "--out", out)
    assert result.exit_code == 0, result.output
    expected = [f"portrait_3.{ending}" for ending in ("glb", "npz", "png")]
    assert sorted(p.name for p in out.iterdir()) == expected
    arrays = dict(np.load(out / "portrait_3.npz"))
    shapes = {name: array.shape for name, array in arrays.items()}
    assert shapes == {
        "image": (32, 32, 3),
        "depth": (32, 32),
        "normal": (32, 32, 3),
        "albedo": (32, 32, 3),
        "canonical_depth": (32, 32),
        "displacement": (32, 32),
        "view": (6,),
        "light": (5,),
        "crop": (2, 3),
        "quality": (0,),
    }
    assert np.nanmax(arrays["depth"]) < 1.2 and not arrays["displacement"].any()
    assert np.allclose(np.linalg.norm(arrays["normal"], axis=-1), 1, atol=1e-5)
    mesh = next(iter(trimesh.load(out / "portrait_3.glb").geometry.values()))
    assert 300 < len(mesh.vertices) < 32 * 32  # the face alone


def test_the_crop_leads_from_the_photo_to_the_image(
    config: Path, weights: Path, tmp_path: Path
) -> None:
    run(PORTRAIT, "--config", config, "--weights", weights, "--out", tmp_path)
    arrays = np.load(tmp_path / "portrait_3.npz")
    photo = cv2.GaussianBlur(np.array(Image.open(PORTRAIT)), None, 3.3) / 255
    again = cv2.warpAffine(photo, arrays["crop"], (32, 32), flags=cv2.INTER_LINEAR)
    assert abs(again - arrays["image"])[4:-4, 4:-4].mean() < 0.02


def test_one_bad_photo_fails_alone(config: Path, weights: Path, tmp_path: Path) -> None:
    bad = tmp_path / "text.jpg"
    bad.write_text("not a photo")
    out = tmp_path / "out"
    result = run(bad, PORTRAIT, "--config", config, "--weights", weights, "--out", out)
    assert result.exit_code == 1
    assert "text.jpg" in result.stderr and (out / "portrait_3.glb").exists()
    assert not list(out.glob("text*")) and "1 of 2 photos failed" in result.stderr


def test_no_face_is_a_failure_and_no_mesh(config: Path, weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.new("RGB", (200, 200), (128, 128, 128)).save(path)
    result = run(path, "--config", config, "--weights", weights, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "grey.png" in result.stderr and "no face" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["grey", "deep", "cmyk", "rgba"])
def test_unusual_pictures_are_taken(kind: str, config: Path, weights: Path, tmp_path: Path) -> None:
    face = Image.open(PORTRAIT).crop((64, 50, 340, 390))
    path = tmp_path / (f"{kind}.jpg" if kind == "cmyk" else f"{kind}.png")
    if kind == "deep":
        Image.fromarray(np.array(face.convert("L")).astype(np.uint16) * 257).save(path)
    else:
        face.convert({"grey": "L", "cmyk": "CMYK", "rgba": "RGBA"}[kind]).save(path)
    out = tmp_path / "out"
    result = run(path, "--config", config, "--weights", weights, "--out", out)
    assert result.exit_code == 0, result.output
    image = np.load(out / f"{kind}.npz")["image"]
    assert image.std() > 0.05 and 0.1 < image.mean() < 0.9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("encoder_width=4", "encoder_widht=4"), "did you mean 'encoder_width'?"),
        (("GridRenderer)", "'GridRendrer')"), "did you mean 'GridRenderer'?"),
        (("GridRenderer", "GridRendrer"), "GridRendrer"),
        (("width=4, enc", "width=8, enc"), "is of another architecture"),
    ],
)
def test_a_wrong_config_is_one_line(
    change: tuple[str, str], said: str, config: Path, weights: Path, tmp_path: Path
) -> None:
    text = config.read_text()
    assert change[0] in text
    config.write_text(text.replace(*change))
    result = run(PORTRAIT, "--config", config, "--weights", weights, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert said in one_line(result)


def test_other_refused_arguments(config: Path, weights: Path, tmp_path: Path) -> None:
    options = ("--config", config, "--weights", weights)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "cannot write to" in one_line(run(PORTRAIT, *options, "--out", blocked / "out"))
    missing = run(PORTRAIT, "--config", tmp_path / "tyni.py", "--out", tmp_path)
    assert missing.exit_code == 2 and "did you mean 'tiny.py'?" in one_line(missing)
    unshipped = run(PORTRAIT, "--config", config, "--out", tmp_path)
    assert unshipped.exit_code == 2 and "tiny.safetensors" in one_line(unshipped)


def test_a_face_that_is_not_finite_is_one_line(config: Path, weights: Path, tmp_path: Path) -> None:
    state = {name: 1e30 * value for name, value in load_model(config).state_dict().items()}
    write_weights(state, weights)
    result = run(PORTRAIT, "--config", config, "--weights", weights, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "a face that is not finite" in result.stderr, result.output
    assert not (tmp_path / "out").exists()


def test_names_do_not_collide() -> None:
    paths = [Path(p) for p in ("a/x.jpg", "b/x.png", "b/x.jpg", "y.jpg")]
    assert output_names(paths) == ["x.jpg", "x.png", "x.jpg-2", "y"]


def test_a_photo_taken_whole_is_its_middle_square() -> None:
    matrix = whole((100, 200), 50)
    corners = np.array([[49.5, -0.5, 1], [149.5, 99.5, 1]]) @ matrix.T
    assert np.allclose(corners, [[-0.5, -0.5], [49.5, 49.5]])


LAP = """
from l2rkit.decompose import LAPDecomposer
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer

default_scope = None
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=LAPDecomposer, image_size=32, width=4, encoder_width=4),
    render=dict(type=GridRenderer),
)
"""


@pytest.fixture
def lap(tmp_path: Path) -> list[object]:
    """The options that name an untrained method of many photos."""
    torch.manual_seed(0)
    config, weights = tmp_path / "lap.py", tmp_path / "lap.safetensors"
    config.write_text(LAP)
    write_weights(load_model(config).state_dict(), weights)
    return ["--config", config, "--weights", weights]


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    """Three photos of one person, and a file that is none."""
    folder = tmp_path / "ada"
    folder.mkdir()
    for name in ("portrait_3", "portrait_3_severe"):
        shutil.copy(FOLDER / "samples" / f"{name}.jpg", folder)
    Image.open(PORTRAIT).convert("L").save(folder / "print.jpg")
    (folder / "notes.jpg").write_text("no photo")
    return folder


def test_photos_of_a_person_give_one_face(lap: list, ada: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("--collection", ada, *lap, "--out", out)
    assert result.exit_code == 1 and "1 of 4 photos failed" in result.stderr
    written = ["ada", "ada.glb", "ada.npz", "ada.png", "index.html"]
    assert sorted(p.name for p in out.iterdir()) == written
    assert len(list((out / "ada").iterdir())) == 3 * 3
    shared = np.load(out / "ada.npz")["canonical_depth"]
    own = [np.load(file)["canonical_depth"] for file in sorted((out / "ada").glob("*.npz"))]
    assert all(np.abs(depth - shared).max() > 1e-6 for depth in own)
    # a person's face does not depend on the order of the photos, but on all of them
    (ada / "portrait_3.jpg").rename(ada / "z.jpg")
    assert run("--collection", ada, *lap, "--out", tmp_path / "again").exit_code == 1
    again = np.load(tmp_path / "again" / "ada.npz")["canonical_depth"]
    assert again == pytest.approx(shared, abs=1e-5)
    (ada / "z.jpg").unlink()
    run("--collection", ada, *lap, "--out", tmp_path / "fewer")
    fewer = np.load(tmp_path / "fewer" / "ada.npz")["canonical_depth"]
    assert np.abs(fewer - shared).max() > 1e-6


def test_a_collection_that_is_there_is_skipped_whole(lap: list, ada: Path, tmp_path: Path) -> None:
    """Photos without a face fail again, and pages show all faces."""
    out, words = tmp_path / "out", ("--collection", ada, *lap, "--sheet", "--skip-existing")
    first = run(*words, "--out", out)
    assert first.exit_code == 1 and "4 faces -> " in first.stdout
    page, shared = (out / "index.html").read_text(), (out / "ada.npz").stat().st_mtime_ns
    again = run(*words, "--out", out)
    assert again.exit_code == 1 and "1 of 4 photos failed" in again.stderr
    assert ".png are there" in again.stdout and "4 faces -> " in again.stdout
    assert (out / "index.html").read_text() == page
    assert (out / "ada.npz").stat().st_mtime_ns == shared
    (out / "ada" / "print.npz").unlink()
    assert "counts" in run(*words, "--out", out).stdout  # made anew
    assert (out / "ada" / "print.npz").is_file()


def test_a_shared_face_is_not_written_without_all_of_its_photos(
    lap: list, ada: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "ada" / "print.glb").mkdir(parents=True)  # cannot be written
    result = run("--collection", ada, *lap, "--out", out)
    assert result.exit_code == 1 and "2 of 4 photos failed" in result.stderr
    assert not (out / "ada.npz").exists() and (out / "ada" / "portrait_3.npz").is_file()


def test_how_much_each_photo_counts_is_said(lap: list, ada: Path, tmp_path: Path) -> None:
    result = run("--collection", ada, *lap, "--out", tmp_path / "out")
    counts = [float(line.split()[-1]) for line in result.stdout.splitlines() if "counts" in line]
    assert len(counts) == 3 and sum(counts) == pytest.approx(3, abs=0.02)


def test_methods_of_single_photos_share_a_face_by_its_mean(
    config: Path, weights: Path, ada: Path, tmp_path: Path
) -> None:
    out, alone = tmp_path / "out", tmp_path / "alone"
    single = ["--config", config, "--weights", weights]
    result = run("--collection", ada, *single, "--out", out)
    assert result.exit_code == 1 and result.stdout.count(", counts 1.00") == 3
    photos = sorted(path for path in ada.iterdir() if path.name != "notes.jpg")
    assert run(*photos, *single, "--out", alone).exit_code == 0
    own = [np.load(file)["canonical_depth"] for file in sorted(alone.glob("*.npz"))]
    shared = np.load(out / "ada.npz")["canonical_depth"]
    assert shared == pytest.approx(np.mean(own, 0), abs=1e-5)
    assert np.load(out / "ada" / "print.npz")["canonical_depth"] == pytest.approx(shared, abs=1e-6)


def test_wrong_collections_are_one_line(lap: list, ada: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, said in (
        ((*lap, "--collection", empty), "empty"),
        ((*lap, "--collection", ada, "--all-faces"), "takes the largest face"),
        (lap, "name a PHOTO or a --collection"),
    ):
        result = run(*words, "--out", tmp_path / "out")
        assert result.exit_code == 2, result.output
        assert said in result.stderr and "Traceback" not in result.stderr


def test_flags_are_in_the_line_and_in_the_arrays(
    config: Path, weights: Path, tmp_path: Path
) -> None:
    photo = np.array(Image.open(PORTRAIT))
    photo[200:] = 128  # a grey bar over the lower half of the face
    Image.fromarray(photo).save(tmp_path / "barred.png")
    words = ["--config", config, "--weights", weights, "--out", tmp_path / "out"]
    result = run(tmp_path / "barred.png", PORTRAIT, *words)
    barred, good, _page = result.stdout.strip().splitlines()
    assert "; quality: occluded" in barred and "; quality" not in good
    flags = [
        np.load(tmp_path / "out" / f"{name}.npz")["quality"] for name in ("barred", "portrait_3")
    ]
    assert "occluded" in flags[0] and not flags[1].size
