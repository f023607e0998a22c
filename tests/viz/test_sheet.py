"""Sheets of pictures, the most similar photos, and the intervals of sheets."""

from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image
from torch import nn

from l2rkit.viz import GridHook, beside, nearest, sheet


def flat(*greys: float) -> torch.Tensor:
    return torch.tensor(greys)[:, None, None, None].expand(-1, 3, 4, 4).clone()


def test_a_sheet_goes_row_by_row_and_ends_white() -> None:
    got = np.asarray(sheet(flat(0, 0.2, 0.4, 0.6, 0.8), columns=3))
    assert got.shape == (8, 12, 3)
    assert got[::4, ::4, 0].tolist() == [[0, 51, 102], [153, 204, 255]]
    photo = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    right = np.asarray(sheet(photo, columns=2))[:, 4:]
    assert (right == (photo[1] * 255).round().byte().permute(1, 2, 0).numpy()).all()


def test_the_nearest_photos_come_first_from_whatever_batch() -> None:
    photos = [flat(0.1, 0.9), flat(0.5, 0.35), flat(0.0)]
    found, far = nearest(flat(0.4, 1.0), photos, nn.Identity(), count=2)
    assert found.shape == (2, 2, 3, 4, 4)
    assert torch.allclose(found[:, :, 0, 0, 0], torch.tensor([[0.35, 0.5], [0.9, 0.5]]))
    assert torch.allclose(far, torch.tensor([[0.05, 0.1], [0.1, 0.5]]), atol=1e-5)


def test_a_mirrored_photo_is_found_and_shown_mirrored() -> None:
    photo = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    found, far = nearest(photo[1:2].flip(-1), [photo], nn.Identity(), count=1)
    assert torch.equal(found[0, 0], photo[1].flip(-1)) and far.item() < 1e-5


def test_neighbours_stand_at_the_right() -> None:
    neighbours = torch.stack([flat(0.4, 0.6), flat(0.8, 1.0)])
    got = np.asarray(beside(flat(0, 0.2), neighbours))
    assert got[::4, ::4, 0].tolist() == [[0, 102, 153], [51, 204, 255]]


def test_a_sheet_of_samples_is_drawn_when_it_is_due(tmp_path) -> None:
    class Model(nn.Module):
        def sample(self, count: int) -> torch.Tensor:
            return flat(*[0.2] * count)

    runner = SimpleNamespace(model=Model(), work_dir=tmp_path, iter=0)
    hook = GridHook(interval=3, images=2)
    for step in range(5):
        runner.iter = step
        hook.after_train_iter(runner, step)
    (file,) = tmp_path.glob("samples/*")
    assert file.name == "0000003.png"
    assert (np.asarray(Image.open(file))[:4, :8] == 51).all()
