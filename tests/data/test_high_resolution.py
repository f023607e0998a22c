"""CelebA-HQ and FFHQ in their official layouts, with tiny pictures."""

import json

import numpy as np
import pytest
from PIL import Image

from l2rkit.data import FFHQ, CelebAHQ
from l2rkit.data.celebahq import ALIGNED_CROP
from l2rkit.errors import DataError

LOAD = [dict(type="LoadPhoto"), dict(type="ResizeFace", image_size=16), dict(type="PackPhoto")]


def celebahq(root):
    """Five photos; photo i is CelebA's file 100 + i, in the splits 0 0 1 2 0."""
    for folder in ("CelebA-HQ-img", "CelebAMask-HQ-mask-anno/0"):
        (root / folder).mkdir(parents=True)
    lines = ["idx    orig_idx orig_file"]
    for i in range(5):
        Image.new("RGB", (64, 64), (40 * i,) * 3).save(root / "CelebA-HQ-img" / f"{i}.jpg")
        lines.append(f"{i}        {99 + i}   {100 + i:06d}.jpg")
    (root / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(lines))
    names = [f"{100 + i:06d}.jpg" for i in range(5)]
    for file, numbers in dict(list_eval_partition="00120", identity_CelebA="77889").items():
        text = "\n".join(f"{name} {number}" for name, number in zip(names, numbers))
        (root / f"{file}.txt").write_text(text)
    for part, box in dict(skin=(0, 0, 16, 32), nose=(16, 0, 24, 8)).items():
        mask = Image.new("RGB", (32, 32))
        mask.paste((255, 255, 255), box)
        mask.save(root / "CelebAMask-HQ-mask-anno" / "0" / f"00004_{part}.png")
    return str(root)


def test_celebahq_keeps_celebas_split(tmp_path):
    root = celebahq(tmp_path)
    names = {
        split: [(d["name"], d["person"]) for d in map(data.get_data_info, range(len(data)))]
        for split in ("train", "val", "test")
        for data in [CelebAHQ(root, split)]
    }
    assert names == dict(
        train=[("000100.jpg", 7), ("000101.jpg", 7), ("000104.jpg", 9)],
        val=[("000102.jpg", 8)],
        test=[("000103.jpg", 8)],
    )
    for name in ("list_eval_partition.txt", "identity_CelebA.txt"):
        (tmp_path / name).unlink()
    assert len(CelebAHQ(root, None)) == 5
    with pytest.raises(DataError, match=r"holds no list_eval_partition.txt"):
        CelebAHQ(root)


def test_celebahq_masks_and_crop(tmp_path):
    dataset = CelebAHQ(celebahq(tmp_path), "train", ("skin", "nose", "hat"), LOAD)
    mask = dataset[2]["mask"][0]
    expected = np.zeros((16, 16))
    expected[:, :8], expected[:4, 8:12] = 1, 1
    np.testing.assert_array_equal(mask, expected)
    assert float(dataset[0]["mask"].sum()) == 0  # no part of it is there
    x, y, width, height = dataset.get_data_info(0)["crop_box"]
    assert width == height == round(ALIGNED_CROP[2] * 64)
    # a face 4 eye distances wide, eyes to mouth 1.05 of them, in the crop against the template
    eye = (0.5 - 0.1 * 0.2625 - y / 64) / (width / 64)
    assert eye == pytest.approx(0.385, abs=0.03)
    assert (0.375 - x / 64) / (width / 64) == pytest.approx(0.31, abs=0.03)


def test_celebahq_says_what_is_wrong(tmp_path):
    root = celebahq(tmp_path)
    with pytest.raises(DataError, match=r"no mask part 'hiar': did you mean 'hair'\?"):
        CelebAHQ(root, mask_parts=("hiar",))
    (tmp_path / "CelebA-HQ-img" / "1.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of 3 photos .* absent, such as '.*1.jpg'"):
        CelebAHQ(root)
    mapping = tmp_path / "CelebA-HQ-to-CelebA-mapping.txt"
    mapping.write_text("idx orig_idx orig_file\n0 99\n")
    with pytest.raises(DataError, match=r"line 2 of .* is not 'number number name'"):
        CelebAHQ(root)
    mapping.write_text("idx orig_idx orig_file\n0 99 000999.jpg\n")
    with pytest.raises(DataError, match=r"does not name '000999.jpg'"):
        CelebAHQ(root)


def ffhq(root, nested=True, folder="images1024x1024", size=1024):
    """Photos 0 and 999 train, 1000 validation."""
    entries = {}
    for number, category in ((0, "training"), (999, "training"), (1000, "validation")):
        place = root / folder / (f"{number // 1000 * 1000:05d}" if nested else "")
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (size, size)).save(place / f"{number:05d}.png")
        points = [[10.0 * i, number % 7] for i in range(68)]
        entries[str(number)] = dict(category=category, image=dict(face_landmarks=points))
    (root / "ffhq-dataset-v2.json").write_text(json.dumps(entries))
    return str(root)


@pytest.mark.parametrize("nested", [True, False])
def test_ffhq_splits_and_landmarks(tmp_path, nested):
    root = ffhq(tmp_path, nested)
    train = FFHQ(root)
    infos = [train.get_data_info(i) for i in range(len(train))]
    assert [info["name"] for info in infos] == ["00000.png", "00999.png"]
    assert infos[1]["landmarks"][:, 0].tolist() == [385, 445, 300, 480, 540]
    assert infos[1]["landmarks"][:, 1].tolist() == [999 % 7] * 5
    assert FFHQ(root, "val").get_data_info(0)["name"] == "01000.png"


def test_ffhq_thumbnails(tmp_path):
    root = ffhq(tmp_path, folder="thumbnails128x128", size=128)
    info = FFHQ(root, folder="thumbnails128x128").get_data_info(0)
    np.testing.assert_allclose(info["landmarks"][0], [385.5 / 8 - 0.5, 0.5 / 8 - 0.5])
    with pytest.raises(DataError, match="holds no images1024x1024; get it from NVlabs"):
        FFHQ(root)


def test_ffhq_says_what_is_wrong(tmp_path):
    root = ffhq(tmp_path)
    with pytest.raises(DataError, match="no split 'test'"):
        FFHQ(root, "test")
    (tmp_path / "images1024x1024" / "00000" / "00999.png").unlink()
    with pytest.raises(DataError, match=r"1 of 2 photos of train .* such as '.*00999.png'"):
        FFHQ(root)
    (tmp_path / "ffhq-dataset-v2.json").write_text('{"0": {"categories": 1}}')
    with pytest.raises(DataError, match="not the official list"):
        FFHQ(root)
