"""Scenes with any photo, rendering, mask and confidence."""

import torch

from l2rkit.structures import Confidence, Rendering, Scene
from l2rkit.testing import example_face


def random_capture(seed=0, size=8, batch=2, confident=True):
    g = torch.Generator().manual_seed(seed)
    photo, image, other = (torch.rand(batch, 3, size, size, generator=g) for _ in range(3))
    masks = [(torch.rand(batch, 1, size, size, generator=g) > 0.3).float() for _ in range(2)]
    pixel = 0.1 + torch.rand(batch, 2, size, size, generator=g)
    feature = 0.1 + torch.rand(batch, 2, size // 4, size // 4, generator=g)
    face = example_face(size, batch)
    confidence = Confidence(pixel, feature) if confident else None
    face = type(face)(face.depth, face.albedo, face.light, face.view, confidence=confidence)
    own, mirrored = (Rendering(i, m, face.depth) for i, m in zip((image, other), masks))
    return Scene(photo, face, own, mirrored)


def perfect_scene(size=32, batch=2):
    """Both renderings are the photo, everything is covered, every scale is 1."""
    scene = random_capture(size=size, batch=batch)
    ones = torch.ones(batch, 1, size, size)
    sure = Confidence(ones.expand(-1, 2, -1, -1), torch.ones(batch, 2, size // 4, size // 4))
    face = scene.face
    face = type(face)(face.depth, face.albedo, face.light, face.view, confidence=sure)
    seen = Rendering(scene.target, ones, face.depth)
    return Scene(scene.target, face, seen, seen)
