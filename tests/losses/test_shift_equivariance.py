"""ShiftEquivariance: renderings in shifted views are shifted pictures."""

import math
from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene

from l2rkit.engine.randomness import seed_all
from l2rkit.losses import ShiftEquivariance
from l2rkit.losses.shift_equivariance import moved, moved_view, moved_view_back
from l2rkit.render import GridRenderer
from l2rkit.structures import Face, Scene, each_tensor


@pytest.mark.parametrize(
    ("shift", "roll"),
    [((0.01, 0.0), 0.0), ((0.0, -0.012), 0.0), ((0.0, 0.0), 0.3), ((0.008, 0.01), -0.2)],
)
def test_the_moved_view_draws_the_moved_picture(shift, roll) -> None:
    face = perfect_scene(64).face
    face = face.with_view(torch.tensor([0.1, -0.2, 0.05, 0.004, -0.003, 0.0]))
    shift, roll = torch.tensor([shift] * len(face)), torch.tensor([roll] * len(face))
    render = GridRenderer()
    before, after = render(face), render(face.with_view(moved_view(face.view, shift, roll)))
    seen = torch.cat([before.image, before.mask], 1)
    came, mask = moved(seen, shift, roll).split([3, 1], 1)
    inside = (mask > 0.99) & (after.mask > 0)
    assert inside.float().mean() > 0.2
    error = ((came - after.image).abs() * inside).sum() / inside.sum() / 3
    still = ((before.image - after.image).abs() * inside).sum() / inside.sum() / 3
    assert error < 0.25 * still


class Follower:
    """A model that returns the face it rendered, in a given view."""

    def __init__(self, face: Face, spoil=lambda view: view) -> None:
        self.face, self.spoil, self.asked = face, spoil, []

    def scene(self, photo: torch.Tensor) -> Scene:
        return replace(
            perfect_scene(32, len(photo)),
            target=photo,
            face=self.face,
            reconstruct=self.reconstruct,
        )

    def reconstruct(self, photo: torch.Tensor) -> Face:
        self.asked.append(photo)
        return self.face.with_view(self.spoil(self.face.view))


def alike(count: int) -> Face:
    """One face, `count` times: shifts change neither its maps nor its light."""
    return each_tensor(
        perfect_scene(32, 1).face, lambda tensor: tensor.expand(count, *tensor.shape[1:])
    )


def test_a_model_that_does_not_follow_pays_what_it_missed() -> None:
    face = alike(256).with_view(torch.zeros(6))
    scene = Follower(face).scene(perfect_scene(32, 256).target)
    # the mean of |N(0, 1)| is sqrt(2 / pi); one angle of three counts 5, two offsets of three 10
    usual = math.sqrt(2 / math.pi)
    roll = ShiftEquivariance(3.0, share=1.0, shift=0.0, roll_deg=10.0)(scene).item()
    assert roll == pytest.approx(3 * 5 / 3 * usual * math.radians(10), rel=0.1)
    shift = ShiftEquivariance(share=1.0, shift=0.01, roll_deg=0.0)(scene).item()
    assert shift == pytest.approx(10 * 2 / 3 * usual * 0.01, rel=0.1)


class Surveyor(Follower):
    """A model that reads off the picture how it was moved: photos show their own coordinates."""

    def __init__(self, face: Face, size: int = 64) -> None:
        super().__init__(face)
        line = torch.linspace(-1, 1, size)
        y, x = torch.meshgrid(line, line, indexing="ij")
        self.ramps = (torch.stack([x, y, 0 * x]) / 4 + 0.5).expand(len(face), 3, size, size)
        self.inside = (x.abs() < 0.4) & (y.abs() < 0.4)  # nothing is mirrored in from the border
        self.places = torch.stack([x, y, torch.ones_like(x)], -1)[self.inside]

    def reconstruct(self, photo: torch.Tensor) -> Face:
        came_from = (photo[:, :2].permute(0, 2, 3, 1)[:, self.inside] - 0.5) * 4
        affine = torch.linalg.lstsq(self.places.expand(len(photo), -1, -1), came_from).solution
        back, offset = affine[:, :2].mT, affine[:, 2]
        self.roll = torch.atan2(back[:, 0, 1], back[:, 0, 0])
        self.shift = -torch.linalg.solve(back, offset) * math.tan(math.radians(5))
        view = self.face.view.clone()
        view[:, 2] += self.roll
        turned = torch.einsum("bji,bj->bi", back, view[:, 3:5])
        view[:, 3:5] = turned + self.shift
        return self.face.with_view(view)


def test_a_model_that_follows_pays_nothing() -> None:
    face = alike(8).with_view(torch.tensor([0.1, -0.2, 0.05, 0.004, -0.003, 0.0]))
    eye = Surveyor(face)
    scene = replace(perfect_scene(64, 8), target=eye.ramps, face=face, reconstruct=eye.reconstruct)
    torch.manual_seed(0)
    followed = ShiftEquivariance(share=1.0)(scene).item()
    assert eye.roll.std() > 0.05 and eye.shift.std(0).min() > 0.003, "it was moved"
    torch.manual_seed(0)
    missed = ShiftEquivariance(share=1.0)(replace(scene, reconstruct=lambda photo: face)).item()
    assert followed < 1e-3 * missed


def test_draws_follow_from_the_seed_and_gradients_reach_only_what_is_seen() -> None:
    photo = perfect_scene(32, 8).target
    face = alike(8)
    face = replace(face, depth=face.depth.clone().requires_grad_())
    eye = Follower(face)
    part = ShiftEquivariance(share=0.5)
    seen = alike(4)
    seen = replace(seen, depth=(seen.depth + 0.01).requires_grad_())
    scene = replace(eye.scene(photo), reconstruct=lambda picture: eye.asked.append(picture) or seen)
    for step in (3, 3, 4):
        seed_all(0, 0, step)
        part(scene).backward()
    assert face.depth.grad is None and seen.depth.grad is not None
    first, again, other = eye.asked
    assert first.shape == (4, 3, 32, 32) and torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, photo[:4])


def test_a_weight_of_zero_asks_nothing() -> None:
    eye = Follower(alike(2))
    assert ShiftEquivariance(weight=0.0)(eye.scene(perfect_scene(32).target)).item() == 0
    assert eye.asked == []


def test_a_view_moved_back_is_the_view() -> None:
    torch.manual_seed(0)
    view, shift, roll = torch.randn(4, 6), torch.randn(4, 2), torch.randn(4)
    back = moved_view_back(moved_view(view, shift, roll), shift, roll)
    torch.testing.assert_close(back, view)
