"""A prior trained by the command: stopped, resumed, measured and sampled."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from l2rkit.cli.train import train
from l2rkit.io.weights import read_weights
from tools.analysis.sample_prior import main

CONFIG = """
from mmengine.dataset import DefaultSampler, InfiniteSampler, default_collate
from mmengine.hooks import CheckpointHook
from mmengine.runner import IterBasedTrainLoop, ValLoop
from torch.optim import Adam
from l2rkit.data import LoadPhoto, ManifestPhotos, PackPhoto
from l2rkit.engine import StepSeed
from l2rkit.metrics import GeneratorDistance
from l2rkit.priors import (
    AdaptiveAugment, AdversarialPrior, OptimizerForEach, StyleGAN2, StyleGAN2Discriminator
)
from l2rkit.viz import GridHook

default_scope = None
model = dict(
    type=AdversarialPrior,
    generator=dict(
        type=StyleGAN2, size=32, width=1 / 128, latent=8, mapping=2, frozen=False
    ),
    discriminator=dict(type=StyleGAN2Discriminator, size=32, width=1 / 128),
    augment=dict(type=AdaptiveAugment, target=-2, images=20),
)
train_dataloader = dict(
    batch_size=4,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=InfiniteSampler, shuffle=True),
    dataset=dict(
        type=ManifestPhotos, data_root="ROOT", pipeline=[dict(type=LoadPhoto), dict(type=PackPhoto)]
    ),
)
val_dataloader = dict(**train_dataloader)
val_dataloader.update(sampler=dict(type=DefaultSampler, shuffle=False))
val_evaluator = dict(type=GeneratorDistance)
optim_wrapper = dict(
    constructor=OptimizerForEach,
    generator=dict(optimizer=dict(type=Adam, lr=2e-3, betas=(0.0, 0.99))),
    discriminator=dict(optimizer=dict(type=Adam, lr=2e-3, betas=(0.0, 0.99))),
)
default_hooks = dict(
    checkpoint=dict(type=CheckpointHook, by_epoch=False, interval=3),
    draws=dict(type=StepSeed),
)
custom_hooks = [dict(type=GridHook, interval=3, images=8)]
randomness = dict(seed=0)
train_cfg = dict(type=IterBasedTrainLoop, max_iters=6, val_interval=3)
val_cfg = dict(type=ValLoop)
"""


@pytest.fixture
def training(tmp_path: Path) -> Path:
    path = tmp_path / "tiny_prior.py"
    path.write_text(CONFIG.replace("ROOT", str(tmp_path)))
    photos = np.random.default_rng(0).integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
    names = [f"{index}.png" for index in range(6)]
    for name, photo in zip(names, photos):
        Image.fromarray(photo).save(tmp_path / name)
    (tmp_path / "manifest.csv").write_text("\n".join(["path", *names]))
    return path


def run(config: Path, work_dir: Path, *words: str) -> Result:
    result = CliRunner().invoke(train, [str(config), "--work-dir", str(work_dir), *words])
    assert result.exit_code == 0, result.output
    return result


def test_a_resumed_run_ends_where_an_unbroken_one_does(training: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(training, whole)
    run(training, broken, "--cfg-options", "train_cfg.max_iters=3")
    run(training, broken, "--resume")
    before, expected, got = (
        read_weights(folder / name)
        for folder, name in ((whole, "iter_3.pth"), (whole, "iter_6.pth"), (broken, "iter_6.pth"))
    )
    assert expected["step"] == 6 and before["step"] == 3 and expected["augment.p"] > 0
    assert not torch.equal(expected["generator_ema.start"], before["generator_ema.start"])
    assert expected.keys() == got.keys()
    for name, value in expected.items():
        assert torch.equal(value, got[name]), name
    drawn = [np.asarray(Image.open(run / "samples" / "0000006.png")) for run in (whole, broken)]
    assert drawn[0].shape == (32, 8 * 32, 3) and (drawn[0] == drawn[1]).all()

    out = tmp_path / "drawn"
    words = [str(whole / "iter_6.pth"), "--config", str(training), "--out", str(out)]
    result = CliRunner().invoke(main, [*words, "--count", "8", "--compared", "2"])
    assert result.exit_code == 0, result.output
    assert (np.asarray(Image.open(out / "samples.png")) == drawn[0]).all()
    nearest = np.asarray(Image.open(out / "nearest.png"))
    assert nearest.shape == (2 * 32, 4 * 32, 3)
    assert (nearest[:32, :32] == drawn[0][:, :32]).all(), "the sample itself stands first"
    assert "nearest of 6 photos" in result.output


def test_what_holds_no_generator_is_said_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path / "none.pth")])
    assert result.exit_code == 2 and "none.pth" in result.output
    assert len(result.output.strip().splitlines()) == 1
