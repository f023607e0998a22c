"""Specks and their removal: the contracts of their registries, and known results."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from l2rkit.cli import main
from l2rkit.config import load_config
from l2rkit.errors import ConfigError, PartError
from l2rkit.registry import RESTORERS
from l2rkit.testing import check_degradation, check_restorer
from projects.example.specks import Median, Specks


def test_specks_keep_the_contract():
    check_degradation(Specks())
    check_degradation(Specks(share=0), random=False)


def test_as_many_pixels_as_asked_for_are_black_or_white_in_all_channels():
    photo = torch.full((1, 3, 200, 200), 0.5)
    dusty = Specks(share=0.1)(photo, torch.Generator().manual_seed(0))
    black, white = ((dusty == colour).all(1).float().mean().item() for colour in (0, 1))
    assert black == pytest.approx(0.05, abs=0.005) and white == pytest.approx(0.05, abs=0.005)
    assert (dusty == 0.5).all(1).float().mean().item() == pytest.approx(1 - black - white)


def test_torch_and_numpy_agree_on_a_draw():
    part, rng = Specks(share=0.2), np.random.default_rng(0)
    image = rng.random((16, 16, 3), np.float32)
    drawn = part.draw(rng, 16, 16)
    one = part.degrade(torch.from_numpy(image).permute(2, 0, 1)[None], [drawn])
    assert np.array_equal(one[0].permute(1, 2, 0).numpy(), part.degrade_image(image, drawn))


@pytest.mark.parametrize("side", [3, 5])
def test_the_median_is_that_of_a_slow_loop(side):
    check_restorer(Median(side))
    photo = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    got, margin = Median(side)(photo), side // 2
    for y in range(margin, 9 - margin):
        for x in range(margin, 9 - margin):
            window = photo[0, :, y - margin : y + margin + 1, x - margin : x + margin + 1]
            expected = np.median(window.flatten(1).numpy(), axis=1)
            assert got[0, :, y, x].numpy() == pytest.approx(expected)


def test_a_lone_speck_on_a_slope_is_gone():
    slope = torch.linspace(0.2, 0.8, 12).expand(1, 3, 12, 12).clone()
    dusty = slope.clone()
    dusty[..., 6, 6] = 1
    assert (Median()(dusty) - slope)[..., 1:-1].abs().max() < 0.06  # one step of the slope


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match=r"Specks: share .* 0\.\.1, not 3"):
        Specks(share=3)
    with pytest.raises(PartError, match="odd side of 1 or more, not 4"):
        RESTORERS.build(dict(type=Median, side=4))
    with pytest.raises(PartError, match="Median takes no 'sides': did you mean 'side'"):
        RESTORERS.build(dict(type=Median, sides=3))


def test_its_config_has_both_parts():
    config = load_config(Path(__file__).with_name("unsup3d_heads2_specks.py"))
    assert config.model.restore.type is Median
    assert config.test_dataloader.dataset.pipeline[2].degradation.type is Specks


def test_its_command_measures(tmp_path, monkeypatch):
    config = Path(__file__).with_name("unsup3d_heads2_specks.py").resolve()
    monkeypatch.chdir(tmp_path)
    few = ["test_dataloader.dataset.size=4", f"work_dir={tmp_path}"]
    words = ["test", str(config), "unsup3d_heads2", "--dry-run", "--cfg-options", *few]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0 and "face_side" in result.output, result.output
