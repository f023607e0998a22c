"""Losses: each maps a scene to one number."""

from .albedo import AlbedoRegularity
from .consistency import RelaxedConsistency
from .cycle import CycleConsistency
from .depth_variance import DepthVariance
from .displacement import Displacement
from .distillation import Distillation, ViewDistillation
from .features import MobileNetFeatures, VGG16Features
from .fixed_pivot import FixedPivot
from .identity import Identity
from .landmarks import LandmarkDistillation
from .perceptual import Perceptual
from .photometric import Photometric
from .pitch_prior import PitchPrior
from .shift_equivariance import ShiftEquivariance
from .true_geometry import TrueGeometry
from .zero_mean_pose import ZeroMeanPose

__all__ = [
    "AlbedoRegularity",
    "CycleConsistency",
    "DepthVariance",
    "Displacement",
    "Distillation",
    "FixedPivot",
    "Identity",
    "LandmarkDistillation",
    "MobileNetFeatures",
    "Perceptual",
    "Photometric",
    "PitchPrior",
    "RelaxedConsistency",
    "ShiftEquivariance",
    "TrueGeometry",
    "VGG16Features",
    "ViewDistillation",
    "ZeroMeanPose",
]
