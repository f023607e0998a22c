"""How good a face is."""

from .depth import DepthErrors, mad, side

__all__ = ["DepthErrors", "mad", "side"]
