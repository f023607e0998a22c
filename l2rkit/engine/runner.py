"""A Runner that checks checkpoints and runs no code from them."""

from collections.abc import Callable, Sequence, Sized
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.model import is_model_wrapper
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader

from ..errors import ConfigError, WeightsError
from ..io.pickles import first_line
from ..io.runs import read_run
from ..io.weights import check_fit, starting_state, without_wrapper
from ..zoo import weight_file
from .console import QuietRunner

OF_WORKERS = ("persistent_workers", "prefetch_factor")  # arguments of loaders that have workers


class TrainingRunner(QuietRunner):
    """A Runner that requires checkpoints and initial weights to fit in names and shapes.

    The config's `load_only` names the parts of the model that `load_from` initialises.
    """

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """Overrides MMEngine's.

        If there is a GPU, batches are in pinned memory. Without workers, settings of workers do not
        count.

        Raises:
            ConfigError: the sampler gives no whole batch, and others are dropped.
        """
        if isinstance(dataloader, dict):
            pinned = {"pin_memory": True} if torch.cuda.is_available() else {}
            left = () if dataloader.get("num_workers") else OF_WORKERS
            dataloader = {**pinned, **{k: v for k, v in dataloader.items() if k not in left}}
        built = QuietRunner.build_dataloader(dataloader, seed, diff_rank_seed)
        check_batches(built)
        return built

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable = "cpu",
        strict: bool = True,
        revise_keys: Sequence = (),
    ) -> dict[str, Any]:
        """Loads a checkpoint, or initial weights, into the model; called by MMEngine.

        All weights must fit, and a prefix `module.` is removed, whatever `strict` and `revise_keys`
        are.

        Raises:
            WeightsError: it does not fit, or is unsafe.
        """
        model = self.model.module if is_model_wrapper(self.model) else self.model
        if self._resume:
            checkpoint = resumed(model, filename)
        else:
            state, said = starting_state(model, weights_at(filename), parts_of(self.cfg))
            checkpoint = {"state_dict": state}
            if said:
                self.logger.info(said)
        self.call_hook("after_load_checkpoint", checkpoint=checkpoint)
        model.load_state_dict(checkpoint["state_dict"])
        self._has_loaded = True
        self.logger.info(f"Load checkpoint from {filename}")
        return checkpoint

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Resumes from the checkpoint of a run.

        Raises:
            WeightsError: it is unsafe, or of another run.
        """
        try:
            super().resume(filename, *args, **kwargs)
        except WeightsError:
            raise
        except (ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {first_line(error)}"
            raise WeightsError(f"{filename} is of another run ({reason})") from error


def check_batches(loader: DataLoader) -> None:
    """Checks that a loader has a batch.

    Raises:
        ConfigError: it has no photo, or drops all, as they are fewer than a batch.
    """
    data, sampler, batches = loader.dataset, loader.sampler, loader.batch_sampler
    if isinstance(data, Sized) and len(data) == 0:
        raise ConfigError(f"{type(data).__name__} has no photo")
    if isinstance(sampler, InfiniteSampler) or not isinstance(batches, BatchSampler):
        return
    if isinstance(sampler, Sized) and len(batches) == 0:
        raise ConfigError(
            f"{type(sampler).__name__} gives each process {len(sampler)} of {len(data)} photos, "
            f"fewer than a batch of {loader.batch_size}"
        )


def resumed(model: nn.Module, filename: str) -> dict[str, Any]:
    """The checkpoint of a run of this model; its averages fit, too, if it has any.

    Raises:
        WeightsError: it is unsafe, or of another architecture.
    """
    checkpoint, expected = read_run(filename), model.state_dict()
    checkpoint["state_dict"] = without_wrapper(checkpoint["state_dict"])
    check_fit(checkpoint["state_dict"], expected, filename)
    if averages := checkpoint.get("ema_state_dict"):
        check_fit(without_count(averages), expected, f"{filename} (its averages)")
    return checkpoint


def without_count(averages: dict[str, Tensor]) -> dict[str, Tensor]:
    """The averaged weights of MMEngine's EMAHook by the model's names, without their `steps`."""
    return {k.removeprefix("module."): v for k, v in averages.items() if k != "steps"}


def parts_of(cfg: Config) -> tuple[str, ...]:
    """The parts of the model in a config's `load_only`; empty means all."""
    named = cfg.get("load_only") or ()
    return (named,) if isinstance(named, str) else tuple(named)


def weights_at(start: str) -> Path:
    """The file of `load_from`; `zoo://NAME` is a shipped one.

    Raises:
        ConfigError: there is none.
    """
    if start.startswith("zoo://"):
        return weight_file(start)
    if "://" in start:
        raise ConfigError(f"load_from takes a file or zoo://NAME: download {start} first")
    if not Path(start).is_file():
        raise ConfigError(f"the config goes on from {start}, which is not there: train that first")
    return Path(start)
