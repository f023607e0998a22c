"""The mean over a photo and its mirror image, and the properties of the restorer in it."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from l2rkit.errors import PartError
from l2rkit.restore import FaceRestorer, Resample, SelfEnsemble


class Shifted(nn.Module):
    """Moves each pixel to its right neighbour's place, and repeats the first column."""

    scale = 1
    needs_whole_photo = True

    def forward(self, photo: Tensor) -> Tensor:
        return torch.cat([photo[..., :1], photo[..., :-1]], -1)


def test_it_is_the_mean_over_the_photo_and_its_mirror_image() -> None:
    row = torch.tensor([0.0, 1.0, 4.0, 9.0]).expand(1, 3, 2, 4) / 9
    expected = torch.tensor([0.5, 2.0, 5.0, 6.5]).expand(1, 3, 2, 4) / 9
    torch.testing.assert_close(SelfEnsemble(Shifted())(row), expected)


def test_the_mirror_image_is_restored_to_the_mirror_image() -> None:
    torch.manual_seed(0)
    alone = FaceRestorer(weights=None, image_size=32, widths=(8, 8)).eval()
    nn.init.normal_(alone.network.last.weight, std=0.1)  # before training it changes nothing
    photo = torch.rand(2, 3, 32, 32)
    both = SelfEnsemble(alone)
    with torch.no_grad():
        assert (alone(photo.flip(-1)) - alone(photo).flip(-1)).abs().max() > 1e-3
        torch.testing.assert_close(both(photo.flip(-1)), both(photo).flip(-1))


def test_it_has_the_properties_of_its_restorer() -> None:
    both = deepcopy(SelfEnsemble(FaceRestorer(weights=None, image_size=32, widths=(8, 8))))
    assert both.image_size == 32 and both.aligned
    photo = torch.rand(1, 3, 32, 32)
    own = both.restore.change_features(photo, photo)
    assert torch.equal(both.change_features(photo, photo), own)
    assert SelfEnsemble(Resample(scale=3)).scale == 3 and SelfEnsemble("Resample").scale == 4
    assert SelfEnsemble(Shifted()).needs_whole_photo
    assert not hasattr(SelfEnsemble(Shifted()), "image_size")


def test_no_restorer_is_an_error() -> None:
    with pytest.raises(PartError, match="requires a restorer"):
        SelfEnsemble(None)
