"""`FaceInferencer` has the interface of MMEngine's inferencers."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.infer import BaseInferencer
from PIL import Image

from l2rkit import FaceInferencer, Reconstruction, reconstruct
from l2rkit.apis.inferencer import names_of
from l2rkit.errors import UserError
from l2rkit.zoo import FOLDER

CONFIG = "face_mesh"
SAMPLES = [FOLDER / "samples" / f"portrait_{number}.jpg" for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def inferencer() -> FaceInferencer:
    return FaceInferencer(CONFIG, show_progress=False)


def test_it_is_called_as_others_are(inferencer: FaceInferencer, tmp_path: Path) -> None:
    assert isinstance(inferencer, BaseInferencer)
    found = inferencer([str(p) for p in SAMPLES], batch_size=2, return_vis=True, out_dir=tmp_path)
    assert [len(faces) for faces in found["predictions"]] == [1, 1, 1]
    for path, (face,) in zip(SAMPLES, found["predictions"]):
        alone = reconstruct(path, "configs/face_mesh/face_mesh.py").arrays()
        np.testing.assert_allclose(face["view"], alone["view"], atol=1e-4)
        kept = np.load(tmp_path / f"{path.stem}.npz")
        np.testing.assert_array_equal(kept["depth"], face["depth"])
        np.testing.assert_array_equal(kept["quality"], face["quality"])
        assert (tmp_path / f"{path.stem}.glb").is_file()
    assert [picture.shape for picture in found["visualization"]] == [(144, 8 * 128, 3)] * 3


def test_datasamples_are_reconstructions_and_pictures_are_made_on_request(
    inferencer: FaceInferencer,
) -> None:
    found = inferencer(Image.open(SAMPLES[0]), return_datasamples=True)
    assert isinstance(found["predictions"][0][0], Reconstruction) and not found["visualization"]


def test_a_folder_is_its_photos_and_a_photo_without_a_face_is_said(
    inferencer: FaceInferencer, tmp_path: Path
) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.jpg").symlink_to(SAMPLES[number])
    assert len(inferencer(str(tmp_path))["predictions"]) == 2
    with pytest.raises(UserError, match="no face"):
        inferencer(np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(UserError, match="batch_size is 1 or more"):
        inferencer(SAMPLES, batch_size=0)
    with pytest.raises(TypeError, match="no_such"):
        inferencer(SAMPLES, no_such=1)


def test_names_never_meet() -> None:
    photos = ["a/x.jpg", "b/x.png", b"", "x-1.jpg"]
    assert names_of(photos) == ["x.jpg", "x.png", "00000002", "x-1"]
    assert len({*names_of(["x/a-2.jpg", "y/a.jpg", "z/a.jpg", "z/A.png"])}) == 4
    assert names_of(["a.jpg", "a-face2.jpg"]) == ["a", "a-face2.jpg"]  # that of its second face


def test_no_photo_is_overwritten(inferencer: FaceInferencer, tmp_path: Path) -> None:
    photo = tmp_path / "me.png"
    Image.open(SAMPLES[0]).save(photo)
    before = photo.read_bytes()
    with pytest.raises(UserError, match=r"me\.png would be overwritten"):
        inferencer(str(tmp_path), out_dir=tmp_path)
    assert photo.read_bytes() == before and list(tmp_path.iterdir()) == [photo]
