"""Synthetic heads of nobody real, with known depth, normals, albedo, light and view."""

from l2rkit.data.heads.capture import Capture, random_capture
from l2rkit.data.heads.dataset import SyntheticHeads
from l2rkit.data.heads.detailed import DetailedHeads
from l2rkit.data.heads.head_model import HeadModel
from l2rkit.data.heads.person import Person, random_person
from l2rkit.data.heads.render import render_head
from l2rkit.data.heads.turned import DetailedTurnedHeads, TurnedHeads

__all__ = [
    "Capture",
    "DetailedHeads",
    "DetailedTurnedHeads",
    "HeadModel",
    "Person",
    "SyntheticHeads",
    "TurnedHeads",
    "random_capture",
    "random_person",
    "render_head",
]
