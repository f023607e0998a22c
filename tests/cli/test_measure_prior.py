"""A prior from checkpoint to shipped file by its name, and its metrics."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from l2rkit.cli import main
from l2rkit.cli.leaderboard import table
from l2rkit.config import load_config, load_model
from l2rkit.errors import WeightsError
from l2rkit.io.weights import read_weights, write_weights
from l2rkit.priors import AdversarialPrior, StyleGAN2
from l2rkit.priors.sampling import samples
from l2rkit.zoo import weight_file
from tools import publish
from tools.analysis import sample_prior

CONFIG = """
from mmengine.dataset import DefaultSampler, default_collate
from mmengine.runner import TestLoop
from torch.nn import Identity
from l2rkit.data import LoadPhoto, ManifestPhotos, PackPhoto
from l2rkit.metrics import GeneratorDistance
from l2rkit.priors import AdversarialPrior, StyleGAN2, StyleGAN2Discriminator

default_scope = None
protocol = "noise, 32 px"
model = dict(
    type=AdversarialPrior,
    generator=dict(type=StyleGAN2, size=32, width=1 / 128, latent=8, mapping=2, frozen=False),
    discriminator=dict(type=StyleGAN2Discriminator, size=32, width=1 / 128),
)
test_dataloader = dict(
    batch_size=4,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=ManifestPhotos, data_root="ROOT", pipeline=[dict(type=LoadPhoto), dict(type=PackPhoto)]
    ),
)
test_evaluator = dict(type=GeneratorDistance, features=dict(type=Identity))  # quick
test_cfg = dict(type=TestLoop)
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    photos = np.random.default_rng(0).integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
    for index, photo in enumerate(photos):
        Image.fromarray(photo).save(tmp_path / f"{index}.png")
    (tmp_path / "manifest.csv").write_text("\n".join(["path", *(f"{i}.png" for i in range(6))]))
    path = tmp_path / "tiny_prior.py"
    path.write_text(CONFIG.replace("ROOT", str(tmp_path)))
    return path


@pytest.fixture
def checkpoint(config: Path) -> Path:
    """As a run leaves it: the average is another generator than the one in training."""
    torch.manual_seed(0)
    model = load_model(config)
    for weight in model.generator.parameters():
        weight.data.add_(1)
    path = config.with_name("iter_1.pth")
    torch.save(dict(state_dict=model.state_dict(), meta=dict(iter=1)), path)
    return path


@pytest.fixture
def zoo(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of shipped files."""
    folder = config.parent / "zoo"
    folder.mkdir()
    monkeypatch.setattr("l2rkit.zoo.FOLDER", folder)
    monkeypatch.setattr("l2rkit.leaderboard.results.FOLDER", folder)
    return folder


def run(command: object, *words: object) -> str:
    result = CliRunner().invoke(command, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def entries(config: Path) -> list[dict]:
    return json.loads(Path("work_dirs", config.stem, "results.json").read_text())


def test_what_is_published_of_a_prior_is_its_averaged_generator(checkpoint: Path) -> None:
    whole, half = checkpoint.with_name("whole.safetensors"), checkpoint.with_name("h.safetensors")
    run(publish.main, checkpoint, whole, "--bits", 32)
    run(publish.main, checkpoint, half, "--bits", 16)
    average = StyleGAN2(str(checkpoint))
    assert read_weights(whole).keys() == average.state_dict().keys()
    assert torch.equal(samples(StyleGAN2(str(whole)), 4), samples(average, 4))
    assert all(value.dtype == torch.float16 for value in read_weights(half).values())
    assert (samples(StyleGAN2(str(half)), 4) - samples(average, 4)).abs().max() < 1 / 255


def test_the_shipped_file_measures_as_the_checkpoint_does(
    config: Path, checkpoint: Path, zoo: Path
) -> None:
    shipped = zoo / "tiny_prior.safetensors"
    run(publish.main, checkpoint, shipped, "--bits", 32)
    run(main, "test", config, checkpoint)
    run(main, "test", config)  # that of the config's name
    first, second = entries(config)
    assert first["metrics"] == second["metrics"] and first["metrics"]["fmd"]["mean"] > 0
    for entry, file in ((first, checkpoint), (second, shipped)):
        assert entry["weights_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert second["command"] == f"python tools/test.py {config}"
    other = {
        k: v + 0.5 if k.endswith("image.bias") else v for k, v in read_weights(shipped).items()
    }
    write_weights(other, config.with_name("other.safetensors"))
    run(main, "test", config, config.with_name("other.safetensors"))
    assert entries(config)[2]["metrics"]["fmd"] != first["metrics"]["fmd"]
    rows = table(entries(config)).splitlines()
    assert rows[0] == "| protocol | level | method | supervision | FMD | KMD x 1000 | images |"
    assert [row.split(" | ")[2] for row in rows[-2:]] == [
        "(the mean photo)",
        "(half of the photos from the other)",
    ]


def test_only_the_average_is_loaded_and_all_of_it_must_be_there(
    config: Path, checkpoint: Path
) -> None:
    trained = read_weights(checkpoint)
    model = load_model(config, checkpoint)
    assert isinstance(model, AdversarialPrior)
    assert torch.equal(model.generator_ema.start, trained["generator_ema.start"])
    lacking = {k: v for k, v in trained.items() if k != "generator_ema.start"}
    write_weights(lacking, config.with_name("lacking.safetensors"))
    with pytest.raises(WeightsError, match=r"it lacks 'start' \(1 missing, 0 left over"):
        load_model(config, config.with_name("lacking.safetensors"))


def test_a_missing_shipped_file_is_named(config: Path, zoo: Path) -> None:
    result = CliRunner().invoke(main, ["test", str(config)])
    assert result.exit_code == 2 and "no tiny_prior.safetensors" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_bare_name_is_a_shipped_prior(checkpoint: Path, zoo: Path) -> None:
    run(publish.main, checkpoint, zoo / "tiny_prior.safetensors", "--bits", 32)
    images = samples(StyleGAN2("tiny_prior"), 4)
    assert torch.equal(images, samples(StyleGAN2(str(checkpoint)), 4))
    out = checkpoint.with_name("drawn")
    run(sample_prior.main, "tiny_prior", "--count", 4, "--out", out)
    drawn = np.asarray(Image.open(out / "samples.png"))
    first = (images[0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert np.abs(drawn[:32, :32].astype(int) - first).max() <= 1
    with pytest.raises(WeightsError, match=r"'tiny_priro\.safetensors' is not shipped"):
        StyleGAN2("tiny_priro")
    assert weight_file("./tiny_prior") == Path("tiny_prior"), "a path says so"


def test_dcgan_is_measured_on_the_same_photos() -> None:
    root = Path(__file__).parents[2]
    dcgan = load_config(root / "projects" / "dcgan" / "dcgan_64_openfaces.py")
    ours = load_config(root / "configs" / "priors" / "stylegan2_64_openfaces.py")
    assert dcgan.model.type.__name__ == "PriorSampler"
    assert dcgan.model.prior.type.__name__ == "DCGAN"
    for name in ("protocol", "test_dataloader", "test_evaluator"):
        assert dcgan[name] == ours[name]
