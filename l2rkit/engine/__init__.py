"""Training: hooks, optimizer wrappers, checkpoints, several processes."""

from .channels_last import ChannelsLast
from .checkpointing import AtomicCheckpoint
from .collapse import CollapseMonitor
from .devices import chosen_device, device_names
from .distributed import ReplicatedModel
from .nonfinite import SkipNonFiniteSteps
from .optim_wrapper import GuardedOptimWrapper
from .precision import ScaledOptimWrapper
from .randomness import StepSeed
from .runner import TrainingRunner
from .schedule import Freeze, Schedule, Stages

__all__ = [
    "AtomicCheckpoint",
    "ChannelsLast",
    "CollapseMonitor",
    "Freeze",
    "GuardedOptimWrapper",
    "ReplicatedModel",
    "ScaledOptimWrapper",
    "Schedule",
    "SkipNonFiniteSteps",
    "Stages",
    "StepSeed",
    "TrainingRunner",
    "chosen_device",
    "device_names",
]
