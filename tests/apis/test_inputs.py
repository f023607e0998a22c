"""Photos as files, bytes, Pillow images, arrays and tensors give the same pixels."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import l2rkit
from l2rkit.apis.inputs import is_one_photo, pixels_of
from l2rkit.apis.reconstructor import Reconstructor, reconstruct
from l2rkit.errors import ConfigError, UserError
from l2rkit.zoo import FOLDER

SAMPLE = FOLDER / "samples" / "portrait_1.jpg"
PIXELS = np.array(Image.open(SAMPLE).convert("RGB"))
HALF = "configs/face_mesh/face_mesh.py"


class Located(os.PathLike):
    def __fspath__(self) -> str:
        return str(SAMPLE)


FORMS = {
    "path": SAMPLE,
    "word": str(SAMPLE),
    "path-like": Located(),
    "bytes": SAMPLE.read_bytes(),
    "Pillow": Image.open(SAMPLE),
    "array": PIXELS,
    "floats": PIXELS / 255,
    "single floats": (PIXELS / 255).astype(np.float32),
    "tensor": torch.from_numpy(PIXELS).permute(2, 0, 1),
    "float tensor": torch.from_numpy(PIXELS).permute(2, 0, 1) / 255,
    "half floats": (torch.from_numpy(PIXELS).permute(2, 0, 1) / 255).half(),
    "learnt": (torch.from_numpy(PIXELS).permute(2, 0, 1) / 255).requires_grad_(),
    "opaque": np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255, np.uint8)]),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_are_the_same_pixels(form: str) -> None:
    assert is_one_photo(FORMS[form])
    np.testing.assert_array_equal(pixels_of(FORMS[form]), PIXELS)


def test_bfloat16_is_taken_as_far_as_it_goes() -> None:
    form = (torch.from_numpy(PIXELS).permute(2, 0, 1) / 255).bfloat16()
    assert np.abs(pixels_of(form).astype(int) - PIXELS).max() <= 1


def test_a_pillow_image_is_upright_and_transparency_grey() -> None:
    turned = Image.fromarray(PIXELS[:16, :24])
    turned.getexif()[0x0112] = 6
    np.testing.assert_array_equal(pixels_of(turned), np.rot90(PIXELS[:16, :24], -1))
    nothing = Image.new("RGBA", (9, 9), (255, 0, 0, 0))
    assert np.unique(pixels_of(nothing)).tolist() == [128]


def test_grey_is_grey_in_three_channels() -> None:
    grey = PIXELS[..., 0]
    forms = [grey, grey[..., None], Image.fromarray(grey), torch.from_numpy(grey)[None]]
    for form in (*forms, np.asmatrix(grey)):  # a matrix has ended the process
        np.testing.assert_array_equal(pixels_of(form), np.repeat(grey[..., None], 3, 2))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (np.zeros((3, 99, 99), np.uint8), r"an array \(3, 99, 99\); expected \(H, W\)"),
        (torch.zeros(99, 99, 3), r"an array \(99, 3, 99\); expected \(H, W\)"),
        (np.full((99, 99, 3), 300.0), "numbers from 300 to 300; expected 0 to 1, or 0 to 255"),
        (np.full((99, 99, 3), np.nan), "numbers from nan to nan"),
        (b"a letter", "photo of 8 bytes: is not a picture"),
        (b"", "photo of 0 bytes: is empty"),
        (torch.zeros(3, 99, 99, device="meta"), "this one is meta"),
        (torch.zeros(3, 99, 99).to_sparse(), "this one is sparse"),
        (torch.zeros(3, 99, 99, dtype=torch.complex64), "this one is complex"),
        (np.ma.masked_array(np.zeros((99, 99))), "a masked array; fill what is masked"),
        (17, "not <class 'int'>"),
    ],
)
def test_what_is_no_photo_is_one_line(form: object, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        pixels_of(form)
    assert "\n" not in str(caught.value)


def test_reconstruct_takes_them_alone_and_in_lists() -> None:
    expected = reconstruct(SAMPLE, HALF).arrays()
    for form in ("Pillow", "bytes", "float tensor", "path-like"):
        got = reconstruct(FORMS[form], HALF).arrays()
        np.testing.assert_array_equal(got["view"], expected["view"], err_msg=form)
    batch = torch.stack([FORMS["tensor"]] * 2)
    both = reconstruct(batch, HALF, align=False)
    assert len(both) == 2 and not is_one_photo(batch)
    assert len(reconstruct((form for form in batch), HALF, align=False)) == 2
    for form in (3, None, [3], bytearray(b"ab")):
        with pytest.raises(UserError, match="a photo is a path, bytes"):
            reconstruct(form, HALF)


@pytest.mark.parametrize("default", ["dtype", "device"])
def test_other_defaults_of_torch_are_one_line(default: str) -> None:
    """Parts make tensors as their process does; with others the error came from deep within."""
    reconstruct(SAMPLE, HALF)  # the model is there already
    kind = torch.get_default_dtype()
    try:
        if default == "dtype":
            torch.set_default_dtype(torch.float64)
        else:
            torch.set_default_device("meta")
        with pytest.raises(ConfigError, match=r"torch's defaults are .*, l2rkit requires"):
            reconstruct(SAMPLE, HALF)
    finally:
        torch.set_default_dtype(kind)
        torch.set_default_device(None)


def test_depth_is_nan_where_there_is_no_face_and_all_else_finite() -> None:
    (face,) = Reconstructor(HALF)(Image.open(SAMPLE))
    arrays = face.arrays()
    seen = np.isfinite(arrays["depth"])
    assert 0.1 < seen.mean() < 1
    np.testing.assert_array_equal(seen, face.scene.rendering.mask[0, 0].numpy() > 0)
    others = [array for name, array in arrays.items() if name not in ("depth", "quality")]
    assert len(others) == 9 and all(np.isfinite(array).all() for array in others)


def test_records_print_as_one_line() -> None:
    (face,) = Reconstructor(HALF)(SAMPLE)
    for record in (face, face.face, face.face.light, face.scene):
        assert "\n" not in repr(record) and len(repr(record)) < 400
    assert repr(face).startswith("<Reconstruction: 128 x 128 px, yaw ")
    assert "depth (1, 1, 128, 128)" in repr(face.face)


def test_the_package_shows_its_names_and_imports_none_of_them(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys, l2rkit\n"
        "assert {'reconstruct', 'Face', 'FaceInferencer'} <= set(l2rkit.__all__)\n"
        "assert set(l2rkit.__all__) == set(l2rkit._HOMES)\n"
        "assert set(dir(l2rkit)) == {*l2rkit.__all__, '__version__'}\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert all(getattr(l2rkit, name) is not None for name in l2rkit.__all__)
    version = [sys.executable, "-m", "l2rkit", "--help"]
    said = subprocess.run(version, capture_output=True, text=True, check=True).stdout
    assert said.startswith("Usage: l2rkit ")


def test_bytes_of_a_png_are_its_pixels() -> None:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "png")
    np.testing.assert_array_equal(pixels_of(file.getvalue()), PIXELS)
