"""Each transform of the pipelines on pixels with known values."""

import numpy as np
import pytest
import torch
from mmcv.transforms import Compose as Steps
from mmengine.dataset import worker_init_fn
from torch.utils.data import default_collate

from l2rkit.data.folder import PhotoFolder
from l2rkit.data.transforms import (
    CentreCrop,
    CropBox,
    Degrade,
    FlipFace,
    LoadPhoto,
    PackPhoto,
    ResizeFace,
    crop_box,
    mirrored,
)
from l2rkit.degrade import Compose, DegradationLevel, DownUpsample, GaussianNoise, Greyscale

RNG = np.random.default_rng(0)


def sample(height=40, width=60):
    """A sample whose red is the column, green the row, and whose depth is the column."""
    col, row = np.meshgrid(np.arange(width), np.arange(height))
    return dict(
        img=np.dstack([col, row, 0 * col]).astype(np.uint8),
        depth=col.astype(np.float32),
        normal=np.tile(np.float32([0.6, 0, -0.8]), (height, width, 1)),
        albedo=np.dstack([col] * 3).astype(np.uint8),
        light=np.float32([0.5, 0.4, 0.6, 0, -0.8]),
        view=np.float32([0.1, 0.2, 0.3, 0.01, 0.02, 0.03]),
        person=7,
        name="a",
    )


def test_crop_box_inside_and_outside():
    img = sample()["img"]
    np.testing.assert_array_equal(crop_box(img, 5, 3, 20, 10), img[3:13, 5:25])
    outside = crop_box(img, -4, 35, 10, 10)
    assert outside[0, :, 0].tolist() == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]
    assert outside[:, 0, 1].tolist() == [35, 36, 37, 38, 39, 39, 39, 39, 39, 39]


def test_cropbox_prefers_the_sample_s_own_box():
    cut = CropBox((0, 0, 4, 4))(dict(sample(), crop_box=(5, 3, 20, 10)))
    assert cut["img"].shape == (10, 20, 3) and cut["depth"][0, 0] == 5
    with pytest.raises(ValueError, match="crop_box"):
        CropBox()(sample())


def test_centre_crop_takes_the_middle_of_all_pictures():
    cut = CentreCrop(20)(sample())
    assert cut["img"][0, 0].tolist() == [20, 10, 0] and cut["depth"][0, -1] == 39
    assert cut["normal"].shape == (20, 20, 3)


def test_shrinking_averages_pixels_but_never_depths():
    checker = (np.indices((64, 64)).sum(0) % 2 * 200).astype(np.uint8)
    depth = np.where(np.arange(64) < 30, 0.95, 1.1).astype(np.float32) * np.ones(
        (64, 1), np.float32
    )
    small = ResizeFace(16)(dict(img=np.dstack([checker] * 3), depth=depth))
    assert (small["img"] == 100).all()
    assert set(np.unique(small["depth"])) == set(np.unique(depth))


def test_resize_nearest_takes_the_pixel_at_the_centre():
    assert ResizeFace(20)(dict(sample(60), img=sample(60)["img"]))["depth"][0].tolist() == [
        1 + 3 * i for i in range(20)
    ]


def test_enlarging_is_smooth():
    big = ResizeFace(160)(dict(img=sample(40, 40)["img"]))["img"].astype(int)
    assert np.diff(big[80, 10:-10, 0]).max() <= 1


def test_mirrored_twice_is_the_same():
    once, twice = mirrored(sample()), mirrored(mirrored(sample()))
    assert once["img"][0, 0, 0] == 59 and once["depth"][0, 0] == 59
    np.testing.assert_allclose(once["normal"][0, 0], [-0.6, 0, -0.8], rtol=1e-6)
    for key, value in sample().items():
        np.testing.assert_array_equal(twice[key], value)


def test_mirrored_view_is_the_view_of_the_mirrored_face():
    """Turning the mirrored points equals mirroring the turned ones; so it is for the light."""

    def rotation(angles):
        (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
        about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        return np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ about_y @ about_x

    flip, points = np.diag([-1, 1, 1]), RNG.normal(size=(9, 3))
    before, after = sample(), mirrored(sample())
    view, other = before["view"], after["view"]
    moved = (points @ rotation(view[:3]).T + view[3:]) @ flip
    np.testing.assert_allclose(points @ flip @ rotation(other[:3]).T + other[3:], moved, atol=1e-6)
    shade = before["normal"][0, 0] @ before["light"][2:]
    assert after["normal"][0, 0] @ after["light"][2:] == pytest.approx(shade)


def test_flip_follows_the_worker_s_seed():
    flip = FlipFace(0.5)

    def draws(worker):
        worker_init_fn(worker, num_workers=2, rank=0, seed=3)
        return [int(flip(sample())["img"][0, 0, 0]) for _ in range(40)]

    assert draws(0) == draws(0) != draws(1)
    assert 10 < draws(0).count(59) < 30
    assert FlipFace(0)(sample())["img"][0, 0, 0] == 0


def test_packed_samples_collate():
    batch = default_collate([PackPhoto()(sample()), PackPhoto()(mirrored(sample()))])
    shapes = {key: tuple(value.shape) for key, value in batch.items() if key != "name"}
    assert shapes == dict(
        photo=(2, 3, 40, 60),
        albedo=(2, 3, 40, 60),
        depth=(2, 1, 40, 60),
        normal=(2, 3, 40, 60),
        light=(2, 5),
        view=(2, 6),
        person=(2,),
    )
    assert batch["person"].dtype == torch.int64 and batch["name"] == ["a", "a"]
    assert batch["photo"].dtype == torch.float32
    assert batch["photo"][0, 0, 0, 51] == pytest.approx(0.2)
    assert batch["depth"][0, 0, 0, 51] == 51


def test_only_what_is_there_is_packed():
    assert set(PackPhoto()(dict(img=sample()["img"]))) == {"photo"}


def test_pipeline_by_short_names(tmp_path):
    from PIL import Image

    Image.fromarray(sample()["img"]).save(tmp_path / "a.png")
    names = ["LoadPhoto", dict(type="CentreCrop", size=32), dict(type="ResizeFace", image_size=16)]
    steps = [dict(type=n) if isinstance(n, str) else n for n in [*names, "PackPhoto"]]
    packed = Steps(steps)(dict(img_path=str(tmp_path / "a.png")))
    assert packed["photo"].shape == (3, 16, 16)
    assert packed["photo"][0, 0, 0] * 255 == pytest.approx(14.5, abs=0.6)
    assert LoadPhoto()(dict(img_path=tmp_path / "a.png"))["img"].shape == (40, 60, 3)


def test_degrade_keeps_the_clean_photo_and_the_rest():
    before = sample()
    after = Degrade(Greyscale())(dict(before))
    np.testing.assert_array_equal(after["clean"], before["img"])
    assert after["img"].dtype == np.uint8 and after["img"].shape == before["img"].shape
    assert np.ptp(after["img"], axis=2).max() == 0 < np.ptp(after["clean"], axis=2).max()
    for key in set(before) - {"img"}:
        assert after[key] is before[key]
    np.testing.assert_array_equal(Degrade(Compose([]))(sample())["img"], before["img"])
    twice = Degrade(Greyscale())(Degrade(GaussianNoise(9))(sample()))
    np.testing.assert_array_equal(twice["clean"], before["img"])


def test_clean_and_bad_photo_are_cropped_resized_and_mirrored_alike():
    """With a degradation that changes nothing, all later steps keep the two equal."""
    steps = Steps([CropBox((3, 2, 36, 36)), CentreCrop(32), ResizeFace(16), FlipFace(1)])
    after = steps(Degrade(Compose([]))(sample()))
    np.testing.assert_array_equal(after["img"], after["clean"])
    np.testing.assert_array_equal(after["img"], steps(sample())["img"])


def test_the_order_of_mirroring_and_degrading_is_free():
    shrink = Degrade(DownUpsample(4))
    one = mirrored(shrink(sample(40, 40)))
    other = shrink(mirrored(sample(40, 40)))
    np.testing.assert_allclose(one["img"].astype(int), other["img"], atol=1)
    np.testing.assert_array_equal(one["clean"], other["clean"])


def test_degrade_follows_the_worker_s_seed_and_draws_anew():
    degrade = Degrade(dict(type=GaussianNoise, levels=20))

    def draws(worker):
        worker_init_fn(worker, num_workers=2, rank=0, seed=3)
        return [degrade(sample())["img"].tolist() for _ in range(3)]

    assert draws(0) == draws(0) != draws(1)
    first, second, _ = draws(0)
    assert first != second


def test_with_a_seed_the_draw_follows_from_it_and_the_sample_alone():
    def bad(seed, index, part=None):
        np.random.seed(index + 100)  # must not matter
        degrade = Degrade(part or dict(type=DegradationLevel, name="severe"), seed=seed)
        return degrade(dict(sample(), sample_idx=index))["img"]

    np.testing.assert_array_equal(bad(0, 5), bad(0, 5))
    assert (bad(0, 5) != bad(0, 6)).any() and (bad(0, 5) != bad(1, 5)).any()
    # (seed 1, sample 0) and (seed 0, sample 1) are different draws
    assert (bad(1, 0) != bad(0, 1)).any()
    # the generator is NumPy's PCG64 of the two numbers
    noise = GaussianNoise(20).draw(np.random.Generator(np.random.PCG64([0, 5])), 40, 60)
    grey = np.full((40, 60, 3), 100, np.uint8)
    got = Degrade(GaussianNoise(20), seed=0)(dict(img=grey, sample_idx=5))["img"]
    np.testing.assert_allclose(got, 100 + 20 * noise["field"], atol=0.501)


def test_an_evaluation_sees_the_same_photos_every_time(tmp_path):
    from PIL import Image

    for name in ("a", "b", "c"):
        Image.fromarray(sample()["img"]).save(tmp_path / f"{name}.png")
    steps = [dict(type=LoadPhoto), dict(type=ResizeFace, image_size=32)]
    steps += [dict(type=Degrade, degradation=dict(type=DegradationLevel, name="mild"), seed=0)]
    steps += [dict(type=PackPhoto)]
    forwards, backwards = (PhotoFolder(tmp_path, pipeline=steps) for _ in range(2))
    expected = [forwards[i] for i in (0, 1, 2)]
    got = [backwards[i] for i in (2, 1, 0)][::-1]
    for one, other in zip(expected, got):
        assert torch.equal(one["photo"], other["photo"])
        assert one["clean"].shape == one["photo"].shape == (3, 32, 32)
        assert not torch.equal(one["photo"], one["clean"])
    assert torch.equal(expected[0]["clean"], expected[1]["clean"])
    assert not torch.equal(expected[0]["photo"], expected[1]["photo"])
    assert default_collate(expected)["clean"].shape == (3, 3, 32, 32)


def test_degrade_refuses_what_it_cannot_use():
    with pytest.raises(ValueError, match="requires 'sample_idx' in each sample"):
        Degrade(Greyscale(), seed=0)(sample())
    with pytest.raises(ValueError, match="Degrade expects a degradation, not a Identity"):
        Degrade(torch.nn.Identity())
    with pytest.raises(ValueError, match="seed is a whole number from 0 on or None, not -1"):
        Degrade(Greyscale(), seed=-1)
