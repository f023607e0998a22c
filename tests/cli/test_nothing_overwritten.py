"""`reconstruct` and `restore` overwrite no photos, and no files of other photos."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from l2rkit.cli import main
from l2rkit.config import load_model
from l2rkit.io.files import made_of, png
from l2rkit.io.weights import write_weights
from l2rkit.zoo import FOLDER

HEAD = FOLDER / "samples" / "head.jpg"


@pytest.fixture
def run(config: Path, weights: Path):
    def run(*words: object) -> Result:
        options = ["--config", config, "--weights", weights, "--no-align"]
        return CliRunner().invoke(main, [str(w) for w in ("reconstruct", *words, *options)])

    return run


def restored(*words: object) -> Result:
    return CliRunner().invoke(main, [str(w) for w in ("restore", *words, "--restorer", "Resample")])


def refused(result: Result, said: str) -> None:
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert said in line


def photo(path: Path, seed: int = 0, size: int = 40) -> bytes:
    """Writes a photo of colours; its bytes."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("command", ["reconstruct", "restore"])
@pytest.mark.parametrize("given", ["me.png", "."])
def test_a_photo_is_not_overwritten_by_its_own_picture(run, command, given, tmp_path) -> None:
    folder = tmp_path / "d"
    before = photo(folder / "me.png")
    do = run if command == "reconstruct" else restored
    refused(do(folder / given, "--out", folder), "would be overwritten: choose another --out")
    refused(do(folder / given, "--out", tmp_path / "d" / ".." / "d"), "would be overwritten")
    assert (folder / "me.png").read_bytes() == before and names(folder) == {"me.png"}


@pytest.mark.parametrize("command", ["reconstruct", "restore"])
def test_nor_is_a_picture_that_was_there(run, command, tmp_path) -> None:
    folder = tmp_path / "d"
    photo(folder / "me.jpg")
    other = photo(folder / "me.png", seed=1)
    do = run if command == "reconstruct" else restored
    refused(do(folder / "me.jpg", "--out", folder), "me.png is there, and is none of l2rkit's")
    assert (folder / "me.png").read_bytes() == other
    (folder / "me.png").unlink()
    for _ in range(2):  # its own may be written again
        done = do(folder / "me.jpg", "--out", folder)
        assert done.exit_code == 0, done.output


def test_other_pictures_beside_a_face_are_none_of_ours(run, tmp_path) -> None:
    photo(tmp_path / "me.jpg")
    moving = tmp_path / "out" / "me.gif"
    photo(moving)
    refused(run(tmp_path / "me.jpg", "--out", tmp_path / "out", "--turntable"), "me.gif is there")
    moving.unlink()
    photo(tmp_path / "out" / "contact-sheet.png")
    refused(run(tmp_path / "me.jpg", "--out", tmp_path / "out", "--sheet"), "contact-sheet.png is")
    photo(tmp_path / "out" / "me-face2.png")
    refused(run(tmp_path / "me.jpg", "--out", tmp_path / "out", "--all-faces"), "me-face2.png is")
    assert run(tmp_path / "me.jpg", "--out", tmp_path / "out").exit_code == 0


def test_faces_of_a_photo_are_not_those_of_another(config, weights, tmp_path) -> None:
    """A photo with two faces, and one that is called as the second of them would be."""
    one = np.asarray(Image.open(FOLDER / "samples" / "portrait_3.jpg"))
    Image.fromarray(np.concatenate([one, one], 1)).save(tmp_path / "a.jpg", quality=95)
    shutil.copy(FOLDER / "samples" / "portrait_4.jpg", tmp_path / "a-face2.jpg")
    words = [tmp_path / "a.jpg", tmp_path / "a-face2.jpg", "--all-faces", "--out", tmp_path / "out"]
    words = ["reconstruct", *words, "--config", config, "--weights", weights]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    found = {p.name for p in (tmp_path / "out").glob("*.npz")}
    assert found == {"a.npz", "a-face2.npz", "a-face2.jpg.npz"}


def test_colours_of_a_mesh_are_not_the_panel_of_another(run, tmp_path) -> None:
    photo(tmp_path / "d" / "a.jpg")
    photo(tmp_path / "d" / "a-albedo.jpg", seed=1)
    done = run(tmp_path / "d", "--format", "obj", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    written = [p for p in (tmp_path / "out").iterdir() if p.suffix == ".png"]
    assert len(written) == 4 and all(made_of(path) is not None for path in written)
    assert "map_Kd a.jpg-albedo.png" in (tmp_path / "out" / "a.jpg.mtl").read_text()


def test_people_of_the_same_name_are_two(tmp_path, config: Path) -> None:
    from l2rkit.io.names import output_names

    people = [tmp_path / x / "bob" for x in "xy"]
    assert output_names([tmp_path / "bob.jpg", *people], (".png",)) == ["bob.jpg", "bob", "bob-2"]


def test_what_lies_below_out_is_no_photo(run, tmp_path) -> None:
    photo(tmp_path / "d" / "a.jpg")
    for do in (run, restored):
        for _ in range(3):
            done = do(tmp_path / "d", "--out", tmp_path / "d" / "out")
            assert done.exit_code == 0 and not done.stderr, done.output
        assert done.stdout.count("->") == 1
        shutil.rmtree(tmp_path / "d" / "out")
    for do in (run, restored):  # nor is what lies among the photos, if it is ours
        for _ in range(3):
            done = do(tmp_path / "d", "--out", tmp_path / "d")
            assert done.exit_code == 0 and done.stdout.count("->") == 1, done.output
        (tmp_path / "d" / "a.png").unlink()


def test_restored_photos_are_photos(run, tmp_path) -> None:
    photo(tmp_path / "d" / "a.jpg")
    assert restored(tmp_path / "d", "--out", tmp_path / "better").exit_code == 0
    done = run(tmp_path / "better", "--out", tmp_path / "out")
    assert done.exit_code == 0 and done.stdout.count("->") == 1, done.output


def there(result: Result) -> bool:
    assert result.exit_code == 0, result.output
    return "are there" in result.output


def test_what_is_skipped_was_made_of_this_photo_by_this_model(run, weights, config, tmp_path):
    words = (tmp_path / "a.jpg", "--out", tmp_path / "out", "--skip-existing")
    photo(tmp_path / "a.jpg")
    assert not there(run(*words)) and there(run(*words))
    photo(tmp_path / "a.jpg", seed=1)  # another photo
    assert not there(run(*words)) and there(run(*words))
    assert not there(run(*words, "--texture-size", 9)) and there(run(*words, "--texture-size", 9))
    assert not there(run(*words))
    torch.manual_seed(1)  # other weights
    write_weights(load_model(config).state_dict(), weights)
    assert not there(run(*words)) and there(run(*words))
    text = config.read_text()  # another model
    config.write_text(text.replace("type=GridRenderer", "type=GridRenderer, supersample=2"))
    assert not there(run(*words)) and there(run(*words))


def test_another_photo_of_the_name_is_not_skipped(run, tmp_path) -> None:
    photo(tmp_path / "x" / "a.jpg")
    photo(tmp_path / "y" / "a.jpg", seed=1)
    for folder, known in (("x", False), ("y", False), ("y", True), ("x", False)):
        words = (tmp_path / folder, "--out", tmp_path / "out", "--skip-existing")
        assert there(run(*words)) == known


def test_a_run_that_was_killed_on_the_way_leaves_nothing_to_skip(run, tmp_path, monkeypatch):
    """What an older photo left is there, and some of the new."""
    import l2rkit.apis.reconstruction as written

    words = (tmp_path / "a.jpg", "--out", tmp_path / "out", "--skip-existing")
    photo(tmp_path / "a.jpg")
    assert not there(run(*words))
    photo(tmp_path / "a.jpg", seed=1)
    whole, count = written.write_atomic, []

    def killed(path: Path, content: bytes) -> None:
        count.append(path)
        if len(count) > 1:
            raise KeyboardInterrupt
        whole(path, content)

    monkeypatch.setattr(written, "write_atomic", killed)
    assert run(*words).exit_code != 0 and len(count) == 2
    monkeypatch.undo()
    assert not there(run(*words)) and there(run(*words))


def test_a_picture_says_what_it_was_made_of(tmp_path) -> None:
    picture = Image.new("RGB", (3, 2), (1, 2, 3))
    (tmp_path / "a.png").write_bytes(png(picture, "of this"))
    (tmp_path / "b.png").write_bytes(png(picture))
    picture.save(tmp_path / "c.png")
    (tmp_path / "d.png").write_bytes(b"no picture")
    said = [made_of(tmp_path / f"{name}.png") for name in "abcde"]
    assert said == ["of this", "", None, None, None]
    assert Image.open(tmp_path / "a.png").getpixel((2, 1)) == (1, 2, 3)


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_damaged_arrays_are_not_taken_for_finished(run, damage: str, tmp_path: Path) -> None:
    """Before, `index.html` ended in a traceback."""
    for name in "ab":
        photo(tmp_path / f"{name}.jpg")
    words = (tmp_path / "a.jpg", tmp_path / "b.jpg", "--out", tmp_path / "out", "--skip-existing")
    assert run(*words).exit_code == 0
    path = tmp_path / "out" / "a.npz"
    whole = path.read_bytes()
    end = len(whole) // 2
    path.write_bytes(whole[:end] if damage == "cut" else bytes(end) + whole[end:])
    again = run(*words)
    if damage == "cut":
        assert again.exit_code == 0 and again.stdout.count("are there") == 1
        assert np.load(path)["depth"].shape
    else:
        refused(again, "a.npz is damaged: delete it, and run the command again")
