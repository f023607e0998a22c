"""How training runs: what saves it, watches it, changes it on its way and spreads it."""

from .channels_last import ChannelsLast
from .checkpointing import WholeCheckpoints
from .collapse import Collapse
from .devices import chosen_device, device_names
from .distributed import MeanGradients
from .finite import FiniteSteps
from .optim_wrapper import GuardedOptimWrapper
from .precision import ScaledOptimWrapper
from .randomness import RepeatedDraws
from .runner import TrainingRunner
from .schedule import Schedule, Stages

__all__ = [
    "ChannelsLast",
    "Collapse",
    "FiniteSteps",
    "GuardedOptimWrapper",
    "MeanGradients",
    "RepeatedDraws",
    "ScaledOptimWrapper",
    "Schedule",
    "Stages",
    "TrainingRunner",
    "WholeCheckpoints",
    "chosen_device",
    "device_names",
]
