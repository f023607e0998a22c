"""The correction of landmarks removes known errors, and refuses wrong inputs."""

import numpy as np
import pytest
import torch

from l2rkit.decompose import FaceMeshDecomposer
from l2rkit.errors import PartError, WeightsError
from l2rkit.landmarks import LandmarkCorrection
from l2rkit.landmarks.points import MEAN_FACE
from l2rkit.restore import FaceRestorer, Resample
from tools.builders.build_landmark_correction import fitted

COUNT = 600


def table() -> dict[str, torch.Tensor]:
    """Faces of three kinds of difference, seen with a tenth too little turn, and 0.02 to the side.

    Where the photo was changed much, shape is seen half again as strong as it is.
    """
    draw = torch.Generator().manual_seed(0)
    mean = torch.from_numpy(MEAN_FACE).double()
    ways = 0.002 * torch.randn(3, 468, 3, generator=draw).double()
    much = torch.randn(COUNT, 3, generator=draw).double()
    true = mean + torch.einsum("nk,kpc->npc", much, ways)
    view = 0.2 * torch.randn(COUNT, 6, generator=draw).double()
    change = 0.1 * torch.rand(COUNT, 1, generator=draw).double()
    features = torch.randn(COUNT, 150, generator=draw).double()
    points = mean + (1 + 5 * change[..., None]) * (true - mean)
    return dict(
        view=0.9 * view + 0.02,
        points=points,
        true_view=view,
        true_points=true,
        seen=torch.cat([change, features], 1),
    )


def test_known_errors_are_found_on_faces_that_were_not_fitted(monkeypatch):
    monkeypatch.setattr("tools.builders.build_landmark_correction.RIDGE", 1e-3)
    monkeypatch.setattr("tools.builders.build_landmark_correction.SHAPES", 3)
    monkeypatch.setattr("tools.builders.build_landmark_correction.FEATURES", 5)
    whole = table()
    some = {key: values[:400] for key, values in whole.items()}
    rest = {key: values[400:] for key, values in whole.items()}
    correct = LandmarkCorrection(None)
    correct.set(fitted(some))
    view, points = correct(rest["view"], rest["points"], rest["seen"])
    before = (rest["view"] - rest["true_view"]).abs().mean()
    assert (view - rest["true_view"]).abs().mean() < 0.02 * before
    before = (rest["points"] - rest["true_points"]).abs().mean()
    assert (points - rest["true_points"]).abs().mean() < 0.2 * before


def test_the_shipped_one_moves_a_face_a_little():
    photo = torch.full((2, 3, 128, 128), 0.5)
    restore, correct = FaceRestorer().eval(), LandmarkCorrection()
    seen = restore.change_features(photo, photo)
    assert seen.shape == (2, 1 + correct.of_features.shape[0]) and seen[:, 0].eq(0).all()
    mean = torch.from_numpy(MEAN_FACE).expand(2, -1, -1)
    view, points = correct(torch.zeros(2, 6), mean, seen)
    assert view.abs().max() < 0.1 and (points - mean).abs().max() < 0.02
    assert torch.isfinite(points).all() and not torch.equal(points, mean)
    assert not dict(correct.named_parameters()) and not correct.state_dict()


def test_a_decomposer_corrects_with_what_its_restorer_saw():
    class Turning(torch.nn.Module):
        def forward(self, view, points, seen):
            assert seen.shape[1] > 1000
            return view + 0.1, points

    def known(photos):
        across = MEAN_FACE[:, :2] * 720 + 63.5
        points = np.concatenate([across, 720 * (MEAN_FACE[:, 2:] - 1)], 1)
        return np.repeat(points[None].astype(np.float32), len(photos), 0)

    photo = torch.rand(2, 3, 128, 128)
    plain = FaceMeshDecomposer(128, known, restore=FaceRestorer())(photo)
    corrected = FaceMeshDecomposer(128, known, restore=FaceRestorer(), correct=Turning())(photo)
    torch.testing.assert_close(corrected.view, plain.view + 0.1)
    with pytest.raises(PartError, match="correct requires a FaceRestorer"):
        FaceMeshDecomposer(128, known, restore=Resample(), correct=Turning())
    with pytest.raises(PartError, match="corrects at 128 px, not at 64"):
        FaceMeshDecomposer(64, known, restore=FaceRestorer(), correct=Turning())


@pytest.mark.parametrize("content", [None, b"words", "another"])
def test_a_file_that_is_none_is_one_line(tmp_path, content):
    path = tmp_path / "correction.npz"
    if content == "another":
        np.savez(path, weights=np.ones(3))
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"correction\.npz is no LandmarkCorrection: "):
        LandmarkCorrection(path)
