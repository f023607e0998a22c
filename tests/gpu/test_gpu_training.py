"""Training on a GPU: half precision, waits, checkpoints, and one NCCL process."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from on_gpu import DEVICE, REHEARSED, error, marks
from small_models import SIZE, l2r, unsup3d
from torch.optim import Adam

from l2rkit.engine.precision import ScaledOptimWrapper
from l2rkit.io.weights import read_weights

pytestmark = marks
ROOT = Path(__file__).parents[2]
CONFIG = """
from mmengine.config import read_base
from mmengine.dataset import DefaultSampler, default_collate
from mmengine.runner import IterBasedTrainLoop
from torch.optim import SGD

from l2rkit.data import PackPhoto, ResizeFace, SyntheticHeads
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.engine import AtomicCheckpoint, GuardedOptimWrapper, SkipNonFiniteSteps, StepSeed
from l2rkit.losses import CycleConsistency, Photometric
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer

default_scope = None
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=32, width=4, encoder_width=4),
    render=dict(type=GridRenderer),
    losses=dict(
        photometric=dict(type=Photometric, mirror=0.5), cycle=dict(type=CycleConsistency)
    ),
)
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=True),
    dataset=dict(
        type=SyntheticHeads,
        split="train",
        size=16,
        image_size=32,
        root="ROOT",
        pipeline=[dict(type=ResizeFace, image_size=32), dict(type=PackPhoto)],
    ),
)
optim_wrapper = dict(type=GuardedOptimWrapper, optimizer=dict(type=SGD, lr=1e-3, momentum=0.9))
default_hooks = dict(
    checkpoint=dict(type=AtomicCheckpoint, by_epoch=False, interval=2, max_keep_ckpts=9),
    draws=dict(type=StepSeed),
    finite=dict(type=SkipNonFiniteSteps),
)
randomness = dict(seed=0)
model_wrapper_cfg = dict(type="l2rkit.engine.ReplicatedModel")
train_cfg = dict(type=IterBasedTrainLoop, max_iters=6)
"""


@pytest.mark.parametrize("build", [unsup3d, l2r], ids=lambda build: build.__name__)
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision(halved, build, precision):
    """Two steps in half precision are near those in float32, and their weights stay float32."""
    if precision == "float16" and REHEARSED:
        pytest.skip("float16 needs a GPU")
    first = {}
    for kind in (None, precision):
        torch.manual_seed(0)
        model, wrapper = build()
        model.to(DEVICE).train()
        model.precision = kind
        if kind == "float16" and build is unsup3d:
            wrapper = ScaledOptimWrapper(optimizer=Adam(model.parameters(), 1e-4))
        photo = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
        for _ in range(2):
            torch.manual_seed(2)
            report = model.train_step(dict(photo=photo, person=torch.arange(4) // 2), wrapper)
            first.setdefault(kind, report["loss"].item())
        assert report["loss"].isfinite()
        assert all(w.isfinite().all() and w.dtype == torch.float32 for w in model.parameters())
    assert first[precision] == pytest.approx(first[None], rel=0.1, abs=0.1)


@pytest.mark.skipif(REHEARSED, reason="only a GPU is waited for")
def test_a_step_waits_as_often_as_the_fake_device_says():
    """Whether to step, the norm of gradients, the log: three times."""
    torch.manual_seed(0)
    model, wrapper = unsup3d()
    model.to(DEVICE).train()
    batch = dict(photo=torch.rand(4, 3, SIZE, SIZE).pin_memory())
    for _ in range(2):
        model.train_step(batch, wrapper)
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.train_step(batch, wrapper)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    waits = [str(w.message) for w in said if "synchronizing CUDA operation" in str(w.message)]
    assert len(waits) == 3, waits


def trained(config: Path, work_dir: Path, gpu: bool, *words: str, launcher: bool = False) -> dict:
    """The weights at the end of a training, in a process that sees the GPU or does not."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    if not gpu:
        env["CUDA_VISIBLE_DEVICES"] = ""
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1"]
    command = [sys.executable, *(start if launcher else ()), str(ROOT / "tools/train.py")]
    command += [str(config), "--work-dir", str(work_dir), *words]
    done = subprocess.run(
        [*command, *(("--launcher", "pytorch") if launcher else ())],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    last = max(work_dir.glob("iter_*.pth"), key=lambda path: int(path.stem[5:]))
    return read_weights(last)


def test_a_run_goes_from_a_cpu_to_a_gpu_and_back_and_through_nccl(tmp_path):
    """Steps 1-2 on the CPU, 3-4 on the GPU in one process of a launcher, 5-6 on the CPU."""
    config = tmp_path / "tiny.py"
    config.write_text(CONFIG.replace("ROOT", str(tmp_path / "heads")))
    until = "--cfg-options", "train_cfg.max_iters="
    whole = trained(config, tmp_path / "cpu", False)
    trained(config, tmp_path / "both", False, until[0], until[1] + "2")
    there = trained(
        config, tmp_path / "both", True, "--resume", until[0], until[1] + "4", launcher=True
    )
    assert (
        max(error(there[k], v) for k, v in read_weights(tmp_path / "cpu/iter_4.pth").items()) < 1e-2
    )
    back = trained(config, tmp_path / "both", False, "--resume")
    assert max(error(back[key], value) for key, value in whole.items()) < 1e-2
