"""Known clusters are found, and the tool that clusters photos."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from mmengine.dataset import BaseDataset
from PIL import Image

from l2rkit.data.align import TEMPLATE
from l2rkit.data.manifest import LANDMARKS
from l2rkit.io.weights import read_weights
from l2rkit.restore.dfdnet.dictionary import Dictionary, standardised
from l2rkit.restore.dfdnet.features import PyramidFeatures, component_features
from tools.builders.build_dictionary import cluster, enlargement, gather, main, sharp_photos


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", range(5))
def test_planted_clusters_are_found(seed):
    planted = 10 * torch.randn(6, 8, generator=seeded(seed))
    label = torch.arange(300) % 6
    samples = planted[label] + 0.1 * torch.randn(300, 8, generator=seeded(seed + 100))
    found = cluster(samples.view(300, 2, 2, 2), 6, seed)
    assert found.shape == (6, 2, 2, 2)
    order = torch.cdist(planted, found.flatten(1)).argmin(1)
    assert sorted(order.tolist()) == list(range(6))
    means = torch.stack([samples[label == each].mean(0) for each in range(6)])
    torch.testing.assert_close(found.flatten(1)[order], means, atol=1e-4, rtol=0)


def test_equal_seeds_give_equal_centres_even_of_equal_samples():
    samples = torch.randn(60, 4, 1, 1, generator=seeded(0))
    assert torch.equal(cluster(samples, 9, 3), cluster(samples, 9, 3))
    assert not torch.equal(cluster(samples, 9, 3), cluster(samples, 9, 4))
    assert torch.equal(cluster(torch.ones(5, 2, 1, 1), 3, 0), torch.ones(3, 2, 1, 1))


def test_enlargement_is_crop_pixels_per_photo_pixel():
    assert enlargement(TEMPLATE * 64 - 0.5, 128) == pytest.approx(2)
    assert enlargement(TEMPLATE * 512 + 30, 128) == pytest.approx(0.25)


def test_gathered_are_the_components_of_photos_and_mirror_images():
    photos = torch.rand(2, 3, 128, 128, generator=seeded(0))
    found = gather(photos)
    assert set(found) == set(Dictionary(1, 128).state_dict())
    seen = component_features(PyramidFeatures(), photos.flip(-1))["mouth_4"]
    torch.testing.assert_close(found["mouth_4"][1::2], standardised(seen), rtol=0, atol=1e-4)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two photos whose faces fill 128 px, and one that would be enlarged."""
    rng = np.random.default_rng(0)
    rows = [",".join(("path", "split", *LANDMARKS))]
    for name, size in (("a.png", 160), ("b.png", 128), ("small.png", 64)):
        Image.fromarray(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(tmp_path / name)
        points = ",".join(map(str, (TEMPLATE * size - 0.5).ravel()))
        rows.append(f"{name},train,{points}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    return tmp_path


def test_the_tool_writes_a_dictionary_that_fits_and_is_the_same_each_time(root: Path):
    out = root / "made" / "dictionary.safetensors"
    arguments = ["--data-root", str(root), "--atoms", "4", "--out", str(out)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "4 atoms each of 2 photos and their mirror images" in result.output  # not of the small
    first = out.read_bytes()
    Dictionary(4, 128).load_state_dict(read_weights(out))
    assert {value.dtype for value in read_weights(out).values()} == {torch.float16}
    CliRunner().invoke(main, arguments)
    assert out.read_bytes() == first


def test_what_the_tool_cannot_do_is_one_line_and_writes_nothing(root: Path):
    out = root / "dictionary.safetensors"

    def refused(*arguments: str) -> str:
        result = CliRunner().invoke(main, [*arguments, "--data-root", str(root), "--out", str(out)])
        assert result.exit_code == 2 and not out.exists()
        return result.output.splitlines()[-1]

    assert "4 sharp faces, mirrored ones too, do not make 64 atoms" in refused()
    assert "the largest is enlarged 0.80 times" in refused("--enlarged", "0.5")
    assert "no split 'trian'" in refused("--split", "trian")
    (root / "manifest.csv").write_text("path,split\na.png,train")
    assert "has no landmarks to align photos by" in refused()


def test_photos_are_chosen_without_the_memo_that_mmengine_shares_between_copies(root: Path):
    memo = BaseDataset._copy_without_annotation.__defaults__[0]
    before = dict(memo)
    chosen = sharp_photos(str(root), "train", 128, 1.0)
    assert len(chosen) == 2 and memo == before
    assert [photo["name"] for photo in chosen] == ["a.png", "b.png"]
