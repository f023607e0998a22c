"""A photo that is shrunk for a network and enlarged again stays in place."""

import pytest
import torch
from torch import nn

from l2rkit.model import FaceReconstructor
from l2rkit.ops.resize import aligned, aligned_weights
from l2rkit.render import GridRenderer
from l2rkit.structures import Face, Light, Scene

SIZE = 128
SPOTS = [(12, 14), (13, 112), (64, 60), (110, 15), (114, 113)]  # rows and columns, near the rim too


class AsItIs(nn.Module):
    """Takes a photo for a wall at the pivot's depth, seen from ahead under ambient light."""

    def __init__(self, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size

    def forward(self, photo, person=None):
        one = torch.ones(len(photo))
        light = Light(one, 0 * one, torch.tensor([[0.0, 0.0, -1.0]]).expand(len(photo), 3))
        return Face(torch.ones_like(photo[:, :1]), photo, light, torch.zeros(len(photo), 6))


def spotted() -> torch.Tensor:
    """(1, 3, SIZE, SIZE): soft white spots on black."""
    line = torch.arange(SIZE, dtype=torch.float32)
    spots = [
        torch.exp(-((line[:, None] - y) ** 2 + (line - x) ** 2) / (2 * 2.5**2)) for y, x in SPOTS
    ]
    return sum(spots).expand(1, 3, -1, -1)


@pytest.mark.parametrize("small", [32, 48, 64])
def test_what_was_shrunk_falls_on_itself_to_a_tenth_of_a_pixel(small):
    photo = spotted()
    model = FaceReconstructor(decompose=AsItIs(small), render=GridRenderer(size=SIZE), losses={})
    (scene,) = model.predict(photo)
    assert isinstance(scene, Scene) and scene.face.size == small
    drawn = scene.rendering.image
    for y, x in SPOTS:
        around = slice(y - 9, y + 10), slice(x - 9, x + 10)
        for before, after in zip(middle(photo[0, 0][around]), middle(drawn[0, 0][around])):
            assert abs(before - after) < 0.1


def middle(picture: torch.Tensor) -> tuple[float, float]:
    """The centre of gravity of a picture (H, W), in px."""
    weight = picture.clamp(min=0)
    rows, columns = (torch.arange(n, dtype=torch.float32) for n in picture.shape)
    total = weight.sum()
    return float(weight.sum(1) @ rows / total), float(weight.sum(0) @ columns / total)


@pytest.mark.parametrize("old, new", [(128, 64), (128, 48), (7, 3), (5, 1)])
def test_shares_by_the_published_rule_counted_out(old, new):
    """Each old pixel, cut into a thousand, gives its pieces to the new pixel that covers them."""
    step = (old - 1) / max(new - 1, 1)
    for row in range(new):
        centre = row * step if new > 1 else (old - 1) / 2
        pieces = centre + step * ((torch.arange(1000, dtype=torch.float64) + 0.5) / 1000 - 0.5)
        expected = torch.bincount(pieces.round().long().clamp(0, old - 1), minlength=old) / 1000
        assert torch.from_numpy(aligned_weights(old, new)[row]).sub(expected).abs().max() < 2e-3


def test_a_ramp_stays_a_ramp_between_its_outermost_centres():
    ramp = torch.linspace(0, 1, SIZE).expand(1, 1, SIZE, SIZE)
    small = aligned(ramp, 64)[0, 0, 5]
    torch.testing.assert_close(small[1:-1], torch.linspace(0, 1, 64)[1:-1], atol=1e-4, rtol=0)
