"""`from l2rkit import reconstruct` with one or many photos, and the methods of its results."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from l2rkit import Reconstruction, reconstruct
from l2rkit.apis.reconstruction import endings
from l2rkit.apis.reconstructor import Reconstructor, _cached_model, fine_crop
from l2rkit.data.crops import whole
from l2rkit.engine.devices import chosen_device, device_names
from l2rkit.errors import UserError
from l2rkit.ops.resize import aligned
from l2rkit.render import GridRenderer
from l2rkit.structures import Light, Scene, unbatched
from l2rkit.testing import example_face
from l2rkit.viz.mesh import to_bytes
from l2rkit.zoo import FOLDER

L2R = "configs/l2r/l2r_openfaces_images.py"
SAMPLES = [FOLDER / "samples" / f"{name}.jpg" for name in ("portrait_1_severe", "head")]


def result(size: int = 32) -> Reconstruction:
    """A known face, without a network."""
    (face, _) = unbatched(example_face(size), 2)
    light = Light(face.light.ambient, face.light.diffuse, DOWN)
    face = replace(face, view=torch.zeros(1, 6), light=light, confidence=None)
    render = GridRenderer()
    own = render(face)
    return Reconstruction(Scene(own.image, face, own), np.eye(3)[:2], render)


DOWN = torch.tensor([[0.0, 0.6, -0.8]])


def test_a_list_of_photos_gives_what_each_gives_alone(capsys: pytest.CaptureFixture) -> None:
    together = reconstruct(SAMPLES, L2R)
    assert capsys.readouterr() == ("", "")
    assert isinstance(together, list) and len(together) == 2
    for path, one in zip(SAMPLES, together):
        alone = reconstruct(path, L2R)
        assert one.flags == alone.flags
        for name, array in alone.arrays().items():
            if name == "quality":
                continue
            rounding = 2e-4 if name == "normal" else 1e-4  # by steps half as wide as at 64 px
            np.testing.assert_allclose(one.arrays()[name], array, atol=rounding, err_msg=name)
    assert np.abs(together[0].arrays()["albedo"] - together[1].arrays()["albedo"]).max() > 0.1
    assert reconstruct([]) == []


def test_the_default_gives_the_same_face_in_a_list_but_for_its_landmarks_rounding() -> None:
    first, second = reconstruct(SAMPLES[:2])
    alone = reconstruct(SAMPLES[1]).arrays()
    for name in ("albedo", "view", "canonical_depth"):
        off = np.abs(second.arrays()[name] - alone[name])
        assert off.mean() < 2e-3, name  # half a step of 8 bits
    depth, region = (first.arrays()[name] for name in ("canonical_depth", "region"))
    assert depth.shape == region.shape == (128, 128) and set(np.unique(region)) == {0, 1}
    assert 0.3 < region.mean() < 0.8
    nose, cheeks = depth[68:84, 60:68].mean(), depth[68:84, [16, 111]].mean()
    assert nose < cheeks - 0.01  # the shipped weights know a face: its middle is nearer


def test_fidelity_is_one_of_the_call() -> None:
    wholly, hardly = (reconstruct(SAMPLES[0], L2R, fidelity=f).arrays() for f in (1.0, 0.0))
    again = reconstruct(SAMPLES[0], L2R).arrays()
    assert np.abs(wholly["albedo"] - hardly["albedo"]).max() > 0.05
    np.testing.assert_array_equal(wholly["albedo"], again["albedo"])
    with pytest.raises(UserError, match="no refiner of this method has a fidelity"):
        reconstruct(SAMPLES[0], "configs/face_mesh/face_mesh.py", fidelity=0.5)
    for wrong in ("high", [1.0], 1.5):
        with pytest.raises(UserError, match=r"fidelity is within 0\.\.1, not "):
            reconstruct(SAMPLES[0], L2R, fidelity=wrong)


def test_progress_is_shown_when_asked_for(capsys: pytest.CaptureFixture) -> None:
    pixels = np.array(Image.open(SAMPLES[1]).convert("RGB"))
    (one,) = reconstruct([pixels], L2R, align=False, progress=True)
    said = capsys.readouterr()
    assert "1/1" in said.err and not said.out
    # taken as cropped: the middle square, all of it
    height, width = pixels.shape[:2]
    np.testing.assert_allclose(one.crop[0, 0], 128 / min(height, width))


def test_a_bad_photo_in_a_list_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(UserError, match=r"text\.jpg"):
        reconstruct([SAMPLES[1], tmp_path / "text.jpg"])


def test_the_model_is_kept_until_its_file_changes(tmp_path: Path) -> None:
    weights = tmp_path / "mine.safetensors"
    weights.write_bytes((FOLDER / "l2r_openfaces_images.safetensors").read_bytes())
    before = _cached_model.cache_info()
    for _ in range(2):
        reconstruct(SAMPLES[1], L2R, weights)
    now = _cached_model.cache_info()
    assert (now.misses - before.misses, now.hits - before.hits) == (1, 1)
    weights.write_bytes(b"not tensors any more")
    with pytest.raises(UserError, match="mine"):
        reconstruct(SAMPLES[1], L2R, weights)


def test_devices_that_are_not_there_are_named() -> None:
    with pytest.raises(UserError, match="no device 'warp:9' here; there is cpu"):
        reconstruct(SAMPLES[1], device="warp:9")
    assert chosen_device("cpu") == "cpu" and chosen_device("auto") in device_names()


def test_a_picture_from_the_side_shows_that_side() -> None:
    one = result()
    picture = np.asarray(one.render(size=64))
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    seen = one.renderer(one.face.with_view(torch.zeros(6))).image[0].permute(1, 2, 0).numpy()
    middle = np.asarray(one.render(size=32))[8:24, 8:24] / 255
    assert np.abs(middle - seen[8:24, 8:24]).mean() < 0.02
    assert (
        (np.asarray(one.render(yaw_deg=60))[128, [5, -5]] == 255).all(1).any()
    )  # beside it: white


def test_another_light_changes_the_light_alone() -> None:
    one = result()
    lit = one.relight(yaw_deg=90, ambient=0.25)
    assert lit is not one and torch.equal(one.face.light.direction, DOWN)
    np.testing.assert_allclose(lit.face.light.direction[0], [1, 0, 0], atol=1e-6)
    bright = one.face.light.ambient + one.face.light.diffuse
    assert (
        lit.face.light.ambient == 0.25 and lit.face.light.ambient + lit.face.light.diffuse == bright
    )
    assert one.relight(diffuse=0.25).face.light.ambient == bright - 0.25
    assert one.relight(ambient=9).face.light.diffuse == 0
    assert one.relight(30).face.light.ambient == one.face.light.ambient
    for name in ("depth", "albedo", "view"):
        assert torch.equal(getattr(lit.face, name), getattr(one.face, name))
    torch.testing.assert_close(lit.scene.rendering.image, one.renderer(lit.face).image)
    assert torch.equal(lit.scene.target, one.scene.target)
    dark = one.relight(ambient=0, diffuse=0)
    assert dark.scene.rendering.image.abs().max() == 0
    back = lit.with_light(one.face.light)
    torch.testing.assert_close(back.scene.rendering.image, one.scene.rendering.image)


def test_moving_pictures() -> None:
    for content in (result().turntable(3, 20), result().light_round(3, 20)):
        moving = Image.open(io.BytesIO(content))
        assert moving.n_frames == 3 and moving.size == (20, 20)
        frames = []
        for frame in range(3):
            moving.seek(frame)
            frames.append(np.asarray(moving.convert("RGB")).astype(float))
        assert np.abs(frames[1] - frames[2]).max() > 30


def test_saved_files_are_those_that_are_announced(tmp_path: Path) -> None:
    formats = ("stl", "obj", "turntable")
    result().save(tmp_path / "new", "ada", formats, watertight=True, width_mm=120)
    assert {p.name for p in (tmp_path / "new").iterdir()} == {f"ada{e}" for e in endings(formats)}
    assert endings() == [".npz", ".glb", ".png"]
    everything = endings(("glb", "obj", "ply", "stl", "turntable", "relight"))
    assert len(set(everything)) == len(everything) == 10


def test_an_unknown_format_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'glb'"):
        result().save(tmp_path, "ada", ("gltb",))
    assert not list(tmp_path.iterdir())


def test_the_mesh_of_a_result_takes_the_options_of_meshes() -> None:
    mesh = result().mesh(watertight=True, width_mm=100)
    assert mesh.is_watertight and mesh.units == "mm" and mesh.extents[0] >= 100
    assert len(result().mesh(keep_background=True).vertices) == 32**2
    assert len(result().mesh().vertices) < 32**2


def test_a_fine_crop_has_the_pixels_of_the_photo_and_the_corners_of_the_crop() -> None:
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[..., 0], photo[..., 1] = np.arange(400) / 2, np.arange(300)[:, None] / 2
    turn, scale = np.radians(20), 31 / 150  # 32 px over 151 of the photo
    linear = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    matrix = np.column_stack([linear, 15.5 - linear @ [200, 150]])
    fine = fine_crop(photo, matrix, 32)
    assert fine.shape == (151, 151, 3)
    back = np.linalg.inv(linear)
    for row, column in ((0, 0), (0, 150), (150, 150), (75, 20)):
        place = back @ (np.array([column, row]) * 31 / 150 - matrix[:, 2])
        assert np.abs(fine[row, column, :2] * 2.0 - place).max() < 2.5
    assert fine_crop(photo, linear_of(1.0), 32) is None
    assert fine_crop(photo, linear_of(2.0), 32) is None  # enlarged
    assert len(fine_crop(photo, linear_of(0.01), 32)) == 1024


def linear_of(scale: float) -> np.ndarray:
    return np.column_stack([np.eye(2) * scale, np.zeros(2)])


def test_a_texture_is_as_large_as_the_face_in_the_photo() -> None:
    model = Reconstructor("configs/unsup3d/unsup3d_heads_32.py", align=False)
    for height, width, expected in ((20, 30, 32), (32, 32, 32), (110, 90, 88), (3000, 4000, 1024)):
        (one,) = model(np.full((height, width, 3), 90, np.uint8))
        assert one.texture().shape == (1, 3, expected, expected)
        assert one.texture(48).shape == (1, 3, 48, 48)
        assert one.fine is None or one.fine.shape == (expected, expected, 3)
        assert one.scene.target.shape[-1] == 32 and whole((height, width), 32).shape == (2, 3)
    with pytest.raises(UserError, match="2 px or more"):
        one.mesh(texture_size=1)


def test_a_texture_is_without_the_photos_light_whatever_light_falls_on_the_face() -> None:
    fine = np.full((64, 64, 3), -15.0)
    fine[::3] = 30  # too fine for 32 px
    one = result()
    photo = aligned(one.scene.target, 64)[0].permute(1, 2, 0).numpy() * 255
    one = replace(one, fine=np.clip(photo + fine, 0, 255).astype(np.uint8))
    plain = one.texture()
    assert (plain - aligned(one.face.albedo, 64)).abs().max() > 0.02
    for other in (one.relight(yaw_deg=80, ambient=0.1), one.relight(10).relight(-80)):
        assert torch.equal(other.texture(), plain)


@pytest.mark.parametrize(("asked", "got"), [(None, 80), (50, 50)])
def test_glb_and_obj_have_the_texture_in_its_size(asked, got, tmp_path: Path) -> None:
    one = replace(result(), fine=np.full((80, 80, 3), 90, np.uint8))
    one.save(tmp_path, "ada", ("glb", "obj"), texture_size=asked)
    expected = to_bytes(one.texture(asked)[0])
    glb = trimesh.load(tmp_path / "ada.glb", force="mesh").visual.material.baseColorTexture
    for picture in (glb, Image.open(tmp_path / "ada-albedo.png")):
        assert picture.size == (got, got)
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), expected)


def test_a_config_without_weights_needs_none(tmp_path: Path) -> None:
    config = "configs/face_mesh/face_mesh.py"
    face = reconstruct(SAMPLES[0], config=config)
    assert face.face.size == 128
    with pytest.raises(UserError, match="is of another architecture"):
        reconstruct(SAMPLES[0], config=config, weights=FOLDER / "unsup3d_heads_32.safetensors")


def test_a_method_that_draws_nothing_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "undrawn.py").write_text(
        "from mmengine.config import read_base\n"
        "with read_base():\n"
        "    from l2rkit.configs.unsup3d.unsup3d_heads_32 import *\n"
        "model['render'] = None\n"
    )
    with pytest.raises(UserError, match=r"undrawn\.py has no model\.render"):
        Reconstructor(tmp_path / "undrawn.py", FOLDER / "unsup3d_heads_32.safetensors")


def test_the_digest_is_the_same_in_each_process() -> None:
    torch.manual_seed(0)
    one = Reconstructor("l2r_heads", align=False).digest()
    torch.manual_seed(1)  # nothing that begins at random counts
    assert Reconstructor("l2r_heads", align=False).digest() == one


@pytest.mark.parametrize("photo", [np.zeros((9, 9, 3), np.uint8), "me.jpg", None])
def test_what_is_no_picture_is_not_pasted_into(photo: object) -> None:
    with pytest.raises(UserError, match="paste: a Pillow picture was expected, not "):
        result().paste(photo)


def test_a_photo_of_another_size_is_not_pasted_into(tmp_path: Path) -> None:
    photo, turned = Image.open(SAMPLES[1]).convert("RGB").resize((70, 60)), tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(turned, exif=exif)
    quick = "configs/unsup3d/unsup3d_heads_32.py"
    by_file, by_pixels = (reconstruct(each, quick, align=False) for each in (turned, photo))
    assert by_file.paste(Image.open(turned)).size == (60, 70)
    assert by_pixels.paste(photo).size == (70, 60)
    for face, other in ((by_file, photo), (by_pixels, photo.resize((71, 60)))):
        with pytest.raises(UserError, match=r"this face's photo has \d0 x \d0 px, the given one 7"):
            face.paste(other)


def test_a_large_photo_is_pasted_into_at_its_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Image.open(SAMPLES[1]).convert("RGB").resize((80, 60))
    quick = "configs/unsup3d/unsup3d_heads_32.py"
    whole = reconstruct(photo, quick, align=False).paste(photo)
    monkeypatch.setattr("l2rkit.data.photo.LONGEST_SIDE", 40)
    again = reconstruct(photo, quick, align=False).paste(photo)
    assert again.size == (80, 60)
    assert np.abs(np.asarray(whole, float) - np.asarray(again, float)).mean() < 5


def test_arrays_are_copies() -> None:
    face = result()
    before = face.arrays()
    for array in face.arrays().values():
        if array.dtype.kind in "fiu":
            array[...] = 0
    for name, array in face.arrays().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_words_and_numbers_that_are_none_are_one_line(tmp_path: Path) -> None:
    face = result()
    with pytest.raises(UserError, match=r"formats is a list such as \['glb'\]"):
        face.save(tmp_path, "me", formats="glb")
    with pytest.raises(UserError, match=r"'\.\./me' is no name of a file"):
        face.save(tmp_path / "in", "../me")
    assert list(tmp_path.iterdir()) == []
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match=f"ambient is 0 or more, not {wrong}"):
            face.relight(ambient=wrong)
