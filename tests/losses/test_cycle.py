"""CycleConsistency with models that predict right, wrong or constant faces."""

import math
from dataclasses import replace

import pytest
import torch
from scenes import perfect_scene

from l2rkit.engine.randomness import seed_all
from l2rkit.losses import CycleConsistency
from l2rkit.losses.cycle import difference
from l2rkit.render import GridRenderer
from l2rkit.structures import Face, Light, Scene


class Eye:
    """A model that returns the face rendered last, optionally with errors."""

    def __init__(self, spoil=lambda face: face) -> None:
        self.renderer, self.spoil, self.drawn, self.pictures = GridRenderer(), spoil, None, []

    def render(self, face: Face):
        self.drawn = face
        return self.renderer(face)

    def reconstruct(self, picture: torch.Tensor) -> Face:
        self.pictures.append(picture)
        return self.spoil(self.drawn)

    def scene(self, size: int = 32) -> Scene:
        return replace(perfect_scene(size), render=self.render, reconstruct=self.reconstruct)


def test_a_model_that_finds_what_was_drawn_pays_nothing() -> None:
    eye = Eye()
    assert CycleConsistency()(eye.scene()).item() == 0
    assert eye.drawn is not None


def test_what_a_wrong_turn_costs_is_known() -> None:
    def turned(face: Face) -> Face:
        wrong = torch.tensor([0.1, 0.0, 0.0, 0.0, 0.0, 0.0])
        return face.with_view(face.view + wrong)

    # a tenth of a radian on one angle of three, counted five times
    assert CycleConsistency(3.0)(Eye(turned).scene()).item() == pytest.approx(3 * 5 * 0.1 / 3)


@pytest.mark.parametrize(
    ("change", "cost"),
    [
        (lambda f: dict(depth=f.depth + 0.01), 10 * 0.01),
        (lambda f: dict(albedo=f.albedo - 0.2), 0.2),
        (lambda f: dict(view=f.view + torch.tensor([0, 0, 0, 0.03, 0, 0])), 10 * 0.01),
        (lambda f: dict(light=replace(f.light, ambient=f.light.ambient + 0.5)), 0.1),
    ],
)
def test_each_part_counts_in_its_own_unit(change, cost) -> None:
    face = perfect_scene(32).face
    assert difference(replace(face, **change(face)), face).item() == pytest.approx(cost, rel=1e-4)
    maps_only = difference(replace(face, **change(face)), face, maps=0).item()
    assert maps_only == pytest.approx(cost if "view" in change(face) else 0, rel=1e-4)


def test_views_are_drawn_as_asked_and_anew_at_each_step() -> None:
    scene = _scene(256)
    part = CycleConsistency(share=0.75, yaw_deg=30, pitch_deg=5, roll_deg=2, light_slope=0.5)
    seed_all(0, 0, 7)
    drawn, picture = part.draw(scene)
    other, _ = part.draw(scene)
    assert not torch.equal(other.view, drawn.view)
    seed_all(0, 0, 7)
    again, same = part.draw(scene)
    assert torch.equal(picture, same) and torch.equal(drawn.view, again.view)
    angles = drawn.view[:, :3].rad2deg()
    assert len(drawn) == 192
    assert angles[:, 1].abs().max() <= 30
    assert angles.std(0).tolist() == pytest.approx([5, 30 / math.sqrt(3), 2], rel=0.15)
    toward = drawn.light.direction
    torch.testing.assert_close(toward.norm(dim=1), torch.ones(192))
    slopes = toward[:, :2] / -toward[:, 2:]
    assert slopes.abs().max() <= 0.5 + 1e-6
    assert slopes.std(0).tolist() == pytest.approx([0.5 / math.sqrt(3)] * 2, rel=0.15)


def test_where_the_face_does_not_cover_a_photo_shows() -> None:
    scene = _scene(4)
    far = torch.tensor([0.0, 0, 0, 0.05, 0, 0])  # moved aside by half of the picture
    scene = replace(
        scene, face=scene.face.with_view(far), target=torch.full_like(scene.target, 0.25)
    )
    drawn, picture = CycleConsistency().draw(scene)
    outside = GridRenderer()(drawn).mask == 0
    assert outside.any()
    assert (picture[outside.expand_as(picture)] == 0.25).all()


def test_gradients_reach_what_is_seen_but_not_what_was_drawn() -> None:
    seen = torch.zeros(6, requires_grad=True)
    eye = Eye(lambda face: face.with_view(face.view + 0.1 + seen))
    scene = eye.scene()
    depth = scene.face.depth.clone().requires_grad_()
    CycleConsistency()(replace(scene, face=replace(scene.face, depth=depth))).backward()
    assert seen.grad.abs().sum() > 0
    assert depth.grad is None


def _scene(count: int) -> Scene:
    eye, face = Eye(), perfect_scene(16).face
    light = face.light
    many = Face(
        depth=face.depth[:1].repeat(count, 1, 1, 1),
        albedo=face.albedo[:1].repeat(count, 1, 1, 1),
        light=Light(
            light.ambient[:1].repeat(count),
            light.diffuse[:1].repeat(count),
            light.direction[:1].repeat(count, 1),
        ),
        view=face.view[:1].repeat(count, 1),
    )
    photo = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return Scene(photo, many, eye.renderer(many), None, eye.render, eye.reconstruct)


def test_shifts_are_spread_as_asked() -> None:
    scene = _scene(256)
    plain, _ = CycleConsistency(share=1.0).draw(scene)
    spread, _ = CycleConsistency(share=1.0, shift=0.02).draw(scene)
    assert set(plain.view[:, 3].tolist()) == set(scene.face.view[:, 3].tolist())
    more = spread.view[:, 3:].std(0).square() - scene.face.view[:, 3:].std(0).square()
    assert more.clamp(min=0).sqrt().tolist() == pytest.approx([0.02, 0.02, 0], rel=0.2, abs=1e-3)
