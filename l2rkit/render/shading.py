"""Lambertian shading (Unsup3D, section 3.2): ambient + diffuse * max(0, n . l)."""

from torch import Tensor

from ..structures import Light


def shading(normal: Tensor, light: Light) -> Tensor:
    """(B, 1, H, W): the share of light that reaches each pixel; normal (B, 3, H, W)."""
    facing = (normal * light.direction[..., None, None]).sum(1, keepdim=True).clamp(min=0)
    return light.ambient.view(-1, 1, 1, 1) + light.diffuse.view(-1, 1, 1, 1) * facing


def shade(albedo: Tensor, normal: Tensor, light: Light) -> Tensor:
    """(B, 3, H, W): albedo under light. Not clamped."""
    return albedo * shading(normal, light)
