"""`tools/builders/photometric_stereo.py` on a folder of photos and an untrained model."""

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from l2rkit.config import load_model
from l2rkit.io.weights import read_weights, write_weights
from tools.builders import photometric_stereo

CONFIG = """
from l2rkit.data import FlipFace, LoadPhoto, PackPhoto, PhotoFolder, ResizeFace
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.model import FaceReconstructor
from l2rkit.refine import SharedDepthOffset
from l2rkit.render import GridRenderer
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=32, width=4, encoder_width=4),
    render=dict(type=GridRenderer),
    {refine}
)
pipeline = [dict(type=LoadPhoto), dict(type=ResizeFace, image_size=32), dict(type=FlipFace),
            dict(type=PackPhoto)]
train_dataloader = dict(dataset=dict(type=PhotoFolder, data_root="{photos}", pipeline=pipeline))
"""


@pytest.fixture
def described(tmp_path):
    """A config without a common shape, one with, and weights of the first."""
    draws = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(12):
        image = draws.integers(0, 255, (4, 4, 3), dtype=np.uint8)
        image = cv2.resize(image, (40, 40), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(tmp_path / "photos" / f"{i}.png"), image)
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    photos = tmp_path / "photos"
    before.write_text(CONFIG.format(photos=photos, refine=""))
    common = "refine=dict(common=dict(type=SharedDepthOffset, size=32)),"
    after.write_text(CONFIG.format(photos=photos, refine=common))
    torch.manual_seed(0)
    write_weights(load_model(before).state_dict(), tmp_path / "before.safetensors")
    return before, after, tmp_path / "before.safetensors"


def run(*words):
    return CliRunner().invoke(photometric_stereo.main, [str(word) for word in words])


def test_the_weights_fit_a_config_with_a_common_shape_and_come_out_the_same(described, tmp_path):
    before, after, weights = described
    made = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    for out in made:
        done = run(before, weights, out, "--rounds", 2)
        assert done.exit_code == 0, done.output
        assert "12 photos, misfit" in done.output
    one, two = (read_weights(out) for out in made)
    # photos are mirrored by the same draws; threads and memory may round otherwise
    torch.testing.assert_close(one, two, atol=1e-5, rtol=0)
    model, old = load_model(after, made[0]), load_model(before, weights)
    photo = torch.rand(2, 3, 32, 32)
    moved = model.face(photo).depth - old.face(photo).depth
    shape = one["refine.common.shape"]
    assert shape.abs().max() > 0
    torch.testing.assert_close(moved, shape.expand(2, 1, 32, 32), atol=1e-6, rtol=0)


def test_a_second_map_is_added_to_the_first(described, tmp_path, monkeypatch):
    before, after, weights = described
    found = torch.full((1, 1, 32, 32), 0.01)

    def stub(observed, rounds, report):
        report(0, 0.1)
        return found

    monkeypatch.setattr(photometric_stereo, "photometric_stereo", stub)
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    assert run(before, weights, once).exit_code == 0
    assert run(after, once, twice).exit_code == 0
    for out, times in ((once, 1), (twice, 2)):
        torch.testing.assert_close(read_weights(out)["refine.common.shape"], times * found)


def test_what_is_missing_is_said_in_a_line(described, tmp_path):
    before, _, _ = described
    done = run(before, tmp_path / "none.safetensors", tmp_path / "out.safetensors")
    assert done.exit_code == 2 and "no weights" in done.output
    assert not (tmp_path / "out.safetensors").exists()
