"""The page's processing of one photo, without gradio."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from l2rkit.apis.reconstruction import PICTURE
from l2rkit.apis.reconstructor import reconstruct
from l2rkit.config import load_config
from l2rkit.data.align import FaceAligner
from l2rkit.data.photo import read_photo
from l2rkit.data.transforms import Degrade, to_tensor
from l2rkit.demo import look as module
from l2rkit.demo.choices import NO_WEIGHTS, NOTHING, SAMPLES, has_fidelity, shipped_choices
from l2rkit.demo.look import Look, at_size, crop_of, degraded, faces_in, look, reconstructor
from l2rkit.errors import UserError
from l2rkit.model import FaceReconstructor
from l2rkit.refine import PriorAlbedo, RefinedGeometry
from l2rkit.registry import RESTORERS
from l2rkit.zoo import DEFAULT_CONFIG, shipped_weights, zoo_file

PHOTO = zoo_file("samples/head.jpg")
QUICK = "unsup3d_heads_32"  # the smallest method


def test_methods_are_those_of_the_zoo_the_default_first() -> None:
    choices = shipped_choices()
    assert next(iter(choices.methods)) == Path(DEFAULT_CONFIG).stem
    assert {"lap_heads2", "unsup3d_openfaces", "unsup3d_heads_32"} < set(choices.methods)
    for name, path in choices.methods.items():
        assert load_config(path).model.type is FaceReconstructor
        assert name in NO_WEIGHTS or shipped_weights(path).stem == name
    assert not any("stylegan2" in name or "features" in name for name in choices.methods)


def test_restorers_are_those_of_the_zoo_and_build() -> None:
    restorers = shipped_choices().restorers
    assert list(restorers) == [NOTHING, "DFDNet", "FaceRestorer"] and restorers[NOTHING] is None
    built = RESTORERS.build(restorers["FaceRestorer"])
    assert not any(weight.requires_grad for weight in built.parameters())


def test_a_fidelity_is_of_methods_whose_refiners_take_one() -> None:
    assert has_fidelity(dict(type=PriorAlbedo)) and not has_fidelity(dict(type=RefinedGeometry))
    of_heads, of_people = {"l2r_heads", "l2r_heads2"}, {"l2r_openfaces", "l2r_openfaces_images"}
    assert shipped_choices().balanced == of_heads | of_people


def test_levels_are_those_of_the_leaderboard() -> None:
    assert shipped_choices().levels == ("clean", "x4", "mild", "severe")


def test_it_is_what_reconstruct_makes_of_the_photo() -> None:
    made = look(PHOTO, "clean", QUICK)
    alone = reconstruct(PHOTO, shipped_choices().methods[QUICK])
    assert list(made.pictures) == ["photo", "drawn", "albedo", "normals", "depth"]
    np.testing.assert_array_equal(made.pictures["albedo"], enlarged(byte(alone.arrays()["albedo"])))
    depth = alone.arrays()["depth"]
    expected = np.where(np.isnan(depth), 0, (1.1 - depth) / 0.2 * 0.9 + 0.1)
    difference = made.pictures["depth"][..., 0].astype(int) - enlarged(byte(expected))
    assert np.abs(difference).max() <= 1
    mesh = loaded(made)
    np.testing.assert_allclose(mesh.vertices, alone.mesh().vertices, atol=1e-6)


def test_an_array_is_a_photo_too_and_equal_choices_give_equal_pictures() -> None:
    one, other = (look(photo, "severe", QUICK) for photo in (PHOTO, read_photo(PHOTO)))
    assert list(one.pictures) == ["photo", "degraded", "drawn", "albedo", "normals", "depth"]
    for title, picture in one.pictures.items():
        assert picture.shape == (PICTURE, PICTURE, 3) and picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, other.pictures[title])
    assert one.glb == other.glb


def test_photos_are_degraded_as_for_the_leaderboard() -> None:
    crop, _ = FaceAligner(32).crop(read_photo(PHOTO))
    step = Degrade(dict(type="DegradationLevel", name="mild"), seed=0)
    same = step.degradation.on_image(np.float32(crop) / 255, module.rng_of(0))
    np.testing.assert_array_equal(degraded(crop, "mild"), np.rint(same * 255))
    np.testing.assert_array_equal(degraded(crop, "clean"), crop)
    assert roughness(degraded(crop, "severe")) < roughness(crop)


def test_the_method_sees_what_was_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reddened(torch.nn.Module):
        def forward(self, photo: torch.Tensor) -> torch.Tensor:
            assert photo.shape[2:] == (32, 32)
            return photo.repeat_interleave(2, 2).repeat_interleave(2, 3) * RED

    seen = []
    model = reconstructor(shipped_choices().methods[QUICK])
    predict = model.model.predict
    monkeypatch.setattr(model.model, "predict", lambda *a: (seen.append(a[0]), predict(*a))[1])
    monkeypatch.setattr(module, "restorer_of", lambda name: Reddened())
    made = look(PHOTO, "mild", QUICK, "FaceRestorer")
    assert list(made.pictures)[:3] == ["photo", "degraded", "restored"]
    crop, _ = FaceAligner(32).crop(read_photo(PHOTO))
    expected = to_tensor(degraded(crop, "mild")) * RED[0]
    torch.testing.assert_close(seen[0][0], expected, atol=1 / 255, rtol=0)
    assert made.pictures["restored"][..., 1:].max() == 0


RED = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None]


def test_sizes_are_changed_by_area_averages() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    expected = picture.reshape(4, 2, 4, 2, 3).mean((1, 3))
    assert np.abs(at_size(picture, 4) - expected).max() <= 0.51


@pytest.mark.parametrize("level", ["clean", "mild"])
def test_the_flags_are_those_of_the_photo_and_not_of_its_crop(level: str) -> None:
    half = read_photo(SAMPLES[0])[:, :240]
    alone = reconstruct(half, shipped_choices().methods[QUICK])
    made = look(half, level, QUICK)
    assert "cut" in made.flags and made.flags == alone.flags
    assert made.note == f"quality: {', '.join(alone.flags)}"


def test_a_good_photo_has_no_line_of_quality() -> None:
    assert look(SAMPLES[0], "clean", QUICK).note == ""


def test_the_flags_are_those_of_the_chosen_face() -> None:
    whole, half = read_photo(SAMPLES[0]), read_photo(SAMPLES[0])[:, :240]
    both = np.concatenate([whole, half[::2, ::2].repeat(2, 0)], 1)
    first, second = (crop_of(both, 32, which)[1].flags for which in (1, 2))
    assert first == () and "cut" in second
    with pytest.raises(UserError, match="face 3 was asked for, and there are 2 in the photo"):
        crop_of(both, 32, 3)


def test_the_first_face_of_a_photo_is_the_one_that_is_reconstructed() -> None:
    """A search for the largest face alone may take another one, where sizes are alike."""
    pair = [read_photo(zoo_file(f"samples/portrait_{n}_severe.jpg")) for n in (2, 3)]
    side = min(len(photo) for photo in pair)
    both = np.concatenate([photo[:side, :side] for photo in pair], 1)
    shown = faces_in(both, 32)
    assert len(shown) == 2
    for which, crop in enumerate(shown, 1):
        np.testing.assert_array_equal(crop, crop_of(both, 32, which)[0])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (dict(method="l2r_openface"), "no method is called 'l2r_openface': did you mean"),
        (dict(method="../../etc/passwd"), "no method is called '../../etc/passwd'"),
        (dict(level="sever"), "no level is called 'sever': did you mean 'severe'?"),
        (dict(restorer="GFPGAN"), "no restorer is called 'GFPGAN'"),
        (dict(fidelity=1.5), "fidelity is within 0..1, not 1.5"),
        (dict(fidelity=float("nan")), "fidelity is within 0..1, not nan"),
    ],
)
def test_unknown_choices_are_said(changed: dict, said: str) -> None:
    asked = dict(photo=PHOTO, level="clean", method=QUICK) | changed
    with pytest.raises(UserError, match=r"^[^\n]*$") as error:
        look(**asked)
    assert said in str(error.value)


def test_photos_that_are_none_are_said(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    Image.new("RGB", (60, 60), "tan").save(tmp_path / "nobody.png")
    for name, said in [
        ("text.jpg", "not a picture"),
        ("nobody.png", "no face found"),
        ("x.jpg", "no such"),
    ]:
        with pytest.raises(UserError, match=said):
            look(tmp_path / name, "clean", QUICK)


def test_samples_are_shipped() -> None:
    assert [path.name for path in SAMPLES] == [f"portrait_{n}.jpg" for n in range(1, 7)]
    assert all(path.is_file() for path in SAMPLES)


def loaded(made: Look) -> trimesh.Trimesh:
    return trimesh.load(io.BytesIO(made.glb), file_type="glb", force="mesh", process=False)


def byte(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def enlarged(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((PICTURE, PICTURE), Image.Resampling.BICUBIC))


def roughness(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture.astype(float), axis=0)).mean())
