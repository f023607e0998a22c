"""Reconstructs one face through a video: follows it, and smooths the result over time."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..data.follow import FaceFollower
from ..data.photo import PhotoError
from ..ops.one_euro import OneEuro
from ..structures import Face, Light
from .reconstruction import Reconstruction
from .reconstructor import Reconstructor

State = dict[str, np.ndarray]
FACE_WIDTH = 0.15  # in units of depth
# steady_hz and quick of `OneEuro` for the components of a face. Quick is in Hz per unit and second;
# units are radians, depths or colours. The lag is 1 / (2 pi quick) at most.
SMOOTHED = {
    "angles": (1.0, 10.0),
    "offsets": (1.0, 10.0 / FACE_WIDTH),
    "depth": (0.5, 20.0 / FACE_WIDTH),
    "displacement": (0.5, 20.0 / FACE_WIDTH),
    "albedo": (0.5, 3.0),
    "light": (0.5, 1.0),
}


class SteadyFace:
    """Smooths the faces of successive frames over time.

    Each number of canonical depth, displacement, albedo, light and view is smoothed by itself, see
    `SMOOTHED`. In the canonical frame a pixel shows the same place of the face in every frame.
    """

    def __init__(self) -> None:
        self.filters = {name: OneEuro(*rates) for name, rates in SMOOTHED.items()}

    def forget(self) -> None:
        for one in self.filters.values():
            one.forget()

    def __call__(self, face: Face, time_s: float) -> Face:
        """The smoothed face, without confidence, of a face that is a batch of one on the CPU."""
        smooth = {
            name: torch.from_numpy(self.filters[name](value.numpy(), time_s))
            for name, value in numbers(face).items()
        }
        ambient, diffuse, way = smooth["light"].split([1, 1, 3], 1)
        return replace(
            face,
            depth=smooth["depth"],
            albedo=smooth["albedo"],
            light=Light(ambient[:, 0], diffuse[:, 0], torch.nn.functional.normalize(way)),
            view=torch.cat([smooth["angles"], smooth["offsets"]], 1),
            displacement=smooth.get("displacement"),
            confidence=None,
            consistent=None,
        )

    def state(self) -> State:
        """The state, for `load`."""
        return {
            f"{name}.{key}": value
            for name, one in self.filters.items()
            for key, value in one.state().items()
        }

    def load(self, state: State) -> None:
        """Continues from a `state`."""
        for name, one in self.filters.items():
            one.load(below(state, name))


def numbers(face: Face) -> dict[str, Tensor]:
    """The components of a face that are smoothed, by the names of `SMOOTHED`."""
    found = {"angles": face.view[:, :3], "offsets": face.view[:, 3:], "depth": face.depth}
    found |= {"albedo": face.albedo, "light": face.light.packed()}
    return found if face.displacement is None else found | {"displacement": face.displacement}


def below(state: State, name: str) -> State:
    """The items of a state whose keys begin with `name.`, without this prefix."""
    return {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}


@dataclass
class ClipReconstructor:
    """Reconstructs the followed face in successive frames of a video.

    `FaceFollower` chooses the face. A model with `align=False` takes frames as crops.
    """

    model: Reconstructor

    def __post_init__(self) -> None:
        aligner = self.model.aligner
        self.follower = None if aligner is None else FaceFollower(aligner)
        self.steady = SteadyFace()

    def __call__(self, frame: np.ndarray, time_s: float) -> Reconstruction | None:
        """The smoothed face in a frame (H, W, 3) uint8 RGB; None if the face is not found.

        Its texture is the albedo, as the detail of single frames would flicker.
        """
        if self.follower is None:
            crop = self.model.crops(frame)[0]
        else:
            try:
                found = self.follower(frame, time_s)
            except PhotoError:
                return None
            if self.follower.began:
                self.steady.forget()  # it may be another face
            crop = self.model.cut(frame, found)
        own = self.model.faces([crop])[0]
        face = self.steady(own.face, time_s)
        scene = replace(own.scene, face=face, rendering=own.renderer(face))
        return replace(own, scene=scene, fine=None)

    def state(self) -> State:
        """The state, for `load`."""
        track = {} if self.follower is None else self.follower.state()
        return {f"track.{k}": v for k, v in track.items()} | self.steady.state()

    def load(self, state: State) -> None:
        """Continues from a `state`."""
        if self.follower is not None:
            self.follower.load(below(state, "track"))
        self.steady.load(state)
