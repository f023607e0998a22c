"""The calls in a training step that make the host wait for a GPU, counted on a fake one."""

from collections import Counter
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path

import pytest
import torch
from fake_device import HERE, FakeDevice, is_here, marked, put_here
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import IterBasedTrainLoop
from small_models import SIZE, l2r, prior, unsup3d
from test_contracts import ELSEWHERE, LOSSES_WITH, ours
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader

from l2rkit.config import load_config
from l2rkit.engine.runner import TrainingRunner
from l2rkit.ops.transfer import HostBuffers, on_host
from l2rkit.registry import LOSSES
from l2rkit.render import GridRenderer, fastest, rasterize_grid, warp
from l2rkit.structures import Scene
from l2rkit.testing import example_face

EVERY_STEP = 1  # the step that is counted: 0 also starts optimizers and regularises
CONFIG = Path(__file__).parents[1] / "configs/unsup3d/unsup3d_celeba.py"
CLIP = "mmengine/optim/optimizer/optimizer_wrapper.py", "_clip_grad"
# All that may wait in a step, how often, and why. What is not here, or is here and does not happen,
# fails.
ALWAYS = {
    # whether the step is taken is decided on the host, once for each step of an optimizer
    ("engine/distributed.py", "finite", "__bool__"): 1,
    # the numbers of the log, in one copy
    ("ops/transfer.py", "on_host", "cpu"): 1,
}
CLIPPED = {
    # MMEngine logs the gradient's norm
    (*CLIP, "__float__"): 1,
    # on the fake device only: torch groups gradients by device in C++, where it is the CPU
    (*CLIP, "download"): 1,
}
ALLOWED = {
    "unsup3d": ALWAYS | CLIPPED,
    "l2r": {
        **ALWAYS,
        **CLIPPED,
        ("engine/distributed.py", "finite", "__bool__"): 2,
        # as many faces are made as there are persons in the batch
        ("decompose/lap.py", "_checked_inputs", "unique"): 1,
    },
    "prior": {
        **ALWAYS,
        ("engine/distributed.py", "finite", "__bool__"): 2,
        # augmentation follows how sure the discriminator is, which decides what is drawn next
        ("priors/augment.py", "adapt", "item"): 1,
    },
}


class CountStep(Hook):
    """Puts the model on the fake device, and keeps what one step made wait, hooks included."""

    priority = "LOWEST"

    def __init__(self, device: FakeDevice) -> None:
        self.device, self.calls = device, Counter()

    def before_train(self, runner) -> None:
        runner.model.data_preprocessor._device = HERE
        averages = [hook.ema_model.module for hook in runner.hooks if isinstance(hook, EMAHook)]
        for module in (runner.model, *averages):
            put_here(module)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        if runner.iter == EVERY_STEP:
            self.calls = Counter(self.device.calls)
        self.device.calls.clear()


@pytest.fixture
def device(monkeypatch) -> FakeDevice:
    """A fake device, with a rasterizer that is not waited for, as Triton's is on a GPU."""

    def rasterized(points: Tensor, size: int, skip: Tensor | None = None) -> Tensor:
        with torch._C.DisableTorchFunction():
            return marked(rasterize_grid(points, size, skip))

    monkeypatch.setattr(fastest, "rasterizer_for", lambda device: rasterized)
    # What is recomputed says the fake device where what was kept, in C++, does not.
    monkeypatch.setattr(warp, "checkpoint", partial(checkpoint, determinism_check="none"))
    return FakeDevice()


@pytest.mark.parametrize("build", [unsup3d, l2r, prior], ids=lambda build: build.__name__)
def test_a_training_step_waits_only_where_it_has_to(build, device, tmp_path):
    torch.manual_seed(0)
    model, wrapper = build()
    photos = [dict(photo=torch.rand(3, SIZE, SIZE), person=torch.tensor(i // 2)) for i in range(8)]
    cfg, hook = load_config(CONFIG), CountStep(device)
    runner = TrainingRunner(
        model=model,
        work_dir=str(tmp_path),
        train_dataloader=DataLoader(photos, 4),
        train_cfg=dict(type=IterBasedTrainLoop, max_iters=EVERY_STEP + 1),
        optim_wrapper=wrapper,
        default_hooks=cfg.default_hooks | dict(checkpoint=None),
        custom_hooks=[dict(type=EMAHook), hook],
        log_processor=cfg.log_processor,
        default_scope=None,
        experiment_name=tmp_path.name,
        cfg=cfg,
    )
    with device:
        runner.train()
    assert all(map(is_here, model.parameters()))
    assert dict(hook.calls) == ALLOWED[build.__name__]


def here(record: object) -> object:
    """The record with copies of its tensors that lie on the fake device."""
    if isinstance(record, Tensor):
        return marked(record.detach().clone())
    if not is_dataclass(record):
        return record
    return type(record)(**{f.name: here(getattr(record, f.name)) for f in fields(record)})


@pytest.mark.parametrize("name", [n for n in ours(LOSSES) if n not in ELSEWHERE])
def test_no_loss_waits(name, device):
    torch.manual_seed(0)
    loss = put_here(LOSSES.build(dict(type=name, **LOSSES_WITH.get(name, {}))))
    face, render = here(example_face(SIZE, 4)), GridRenderer()
    with device:
        face.view.requires_grad_()
        seen = render(face)
        scene = Scene(
            here(face.albedo), face, seen, seen, render, lambda photo: here(face_of(photo))
        )
        value = loss(scene)
        assert value.device == HERE
        if value.requires_grad:
            value.backward()
    assert not device.calls


def face_of(photo: Tensor) -> object:
    return example_face(SIZE, len(photo))


def test_the_fake_device_counts_what_waits_and_refuses_what_cuda_refuses():
    device, there, cpu = FakeDevice(), marked(torch.tensor([1.0, 0.0])), torch.ones(2)
    with device:
        assert there.device == HERE and (there * 2).device == HERE and cpu.device.type == "cpu"
        for wait in (
            lambda: there.sum().item(),
            lambda: bool(there.any()),
            lambda: there.tolist(),
            lambda: there.numpy(),
            lambda: there.cpu(),
            lambda: there.to("cpu"),
            lambda: there.nonzero(),
            lambda: there[there > 0],
            lambda: there[torch.tensor([0])],
            lambda: there.new_tensor([1.0]),
            lambda: torch.tensor([1.0], device=there.device),
            lambda: cpu.to(there),
            lambda: there.unique(),
        ):
            device.calls.clear()
            wait()
            assert device.calls.total() == 1
        device.calls.clear()
        assert cpu.to(there, non_blocking=True).device == HERE
        assert torch.zeros(2, device=there.device).device == HERE
        assert there.cpu().device.type == "cpu" and device.calls.total() == 1
        with pytest.raises(RuntimeError, match=r"mul of tensors on cuda:0 and the CPU"):
            there * cpu


def test_buffers_that_the_host_reads_stay_there():
    class Counting(HostBuffers):
        host_buffers = ("step",)

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("step", torch.tensor(3.0))
            self.register_buffer("mean", torch.tensor(2.0))

    module = Counting().to("meta")
    assert (module.step.item(), module.mean.device.type) == (3, "meta")
    assert list(module.state_dict()) == ["step", "mean"]


def test_a_report_comes_to_the_host_in_one_copy():
    device, there = FakeDevice(), [marked(torch.tensor(value)) for value in (1.0, 2.0)]
    with device:
        report = on_host(dict(a=there[0], b=torch.tensor(5), c=there[1]))
        values = {name: value.item() for name, value in report.items()}
    assert values == dict(a=1, b=5, c=2) and device.calls.total() == 1
