"""The readers on tiny folders in the real layouts."""

from multiprocessing import dummy
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from mmengine.registry import DATASETS
from PIL import Image
from torch.utils.data import DataLoader

from l2rkit.data.celeba import ALIGNED_CROP, CelebA, find_celeba
from l2rkit.data.folder import PhotoFolder
from l2rkit.data.pairs import DepthPairs, decode_depth
from l2rkit.data.photo import PhotoError
from l2rkit.errors import DataError
from tools.dataset_converters import celeba as tool

ROOT = Path(__file__).parents[2]
PIPELINE = [
    dict(type="LoadPhoto"),
    dict(type="CropBox", box=(0, 0, 16, 16)),
    dict(type="ResizeFace", image_size=8),
    dict(type="PackPhoto"),
]


def paint(path, level, size=(16, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level,) * 3).save(path)


def test_photo_folder_loads_in_order(tmp_path):
    for name, level in [("b/1.png", 50), ("a/2.png", 100), ("a/1.png", 200)]:
        paint(tmp_path / name, level)
    dataset = DATASETS.build(
        dict(type="PhotoFolder", data_root=str(tmp_path), pipeline=PIPELINE, person_folders=True)
    )
    (batch,) = DataLoader(dataset, batch_size=3)
    assert batch["name"] == ["a/1.png", "a/2.png", "b/1.png"]
    assert batch["person"].tolist() == [0, 0, 1]
    np.testing.assert_allclose(batch["photo"][:, 0, 0, 0] * 255, [200, 100, 50], rtol=1e-5)


def test_photo_folder_without_photos(tmp_path):
    with pytest.raises(PhotoError, match="holds no photos"):
        PhotoFolder(str(tmp_path))


def celeba(root, images="img_align_celeba", lists="", identity=True, count=6):
    """Six photos, two in each split, of three people."""
    lines = []
    for number in range(1, count + 1):
        paint(root / images / f"{number:06d}.jpg", 30 * number, (178, 218))
        lines.append(f"{number:06d}.jpg {(number - 1) // 2}")
    (root / lists).mkdir(exist_ok=True)
    (root / lists / "list_eval_partition.txt").write_text("\n".join(lines))
    if identity:
        people = [f"{number:06d}.jpg {100 + number % 3}" for number in range(1, count + 1)]
        (root / "identity_CelebA.txt").write_text("\n".join(people))


@pytest.mark.parametrize(
    ("images", "lists"), [("img_align_celeba", ""), ("Img/img_align_celeba", "Eval")]
)
def test_celeba_splits_and_people(tmp_path, images, lists):
    celeba(tmp_path, images, lists)
    for split, numbers in dict(train=[1, 2], val=[3, 4], test=[5, 6]).items():
        dataset = CelebA(str(tmp_path), split, PIPELINE)
        assert [x["name"] for x in dataset] == [f"{n:06d}.jpg" for n in numbers]
        assert [int(x["person"]) for x in dataset] == [100 + n % 3 for n in numbers]
        for x, n in zip(dataset, numbers):
            assert float(x["photo"].mean()) * 255 == pytest.approx(30 * n, abs=2)


def test_celeba_crop_is_where_the_aligned_eyes_are():
    x, y, width, height = ALIGNED_CROP
    assert width == height
    eyes, mouth = (np.array([[69, 111], [108, 111]]), np.array([[72, 152], [105, 152]]))
    left, right = (eyes + 0.5 - [x, y]) / width
    assert left[0] == pytest.approx(1 - right[0], abs=0.02)
    assert left[1] == pytest.approx(0.385, abs=0.02)
    assert ((mouth[0] + 0.5 - [x, y]) / width)[1] == pytest.approx(0.755, abs=0.02)


def test_celeba_without_identities(tmp_path):
    celeba(tmp_path, identity=False)
    sample = CelebA(str(tmp_path), aligned_crop=False)[0]
    assert "person" not in sample and "crop_box" not in sample


def test_celeba_says_what_is_missing_and_where_to_get_it(tmp_path):
    for missing in ("img_align_celeba/", "list_eval_partition.txt"):
        with pytest.raises(DataError) as caught:
            CelebA(str(tmp_path))
        message = str(caught.value)
        assert f"holds no {missing}" in message and "\n" not in message
        assert "'CelebA' of MMLab, CUHK" in message
        assert "tools/dataset_converters/celeba.py" in message
        (tmp_path / "img_align_celeba").mkdir(exist_ok=True)
    with pytest.raises(DataError, match=r"no split 'trian': did you mean 'train'\?"):
        CelebA(str(tmp_path), "trian")


def test_celeba_names_photos_that_are_absent(tmp_path, monkeypatch):
    celeba(tmp_path)
    said = []
    monkeypatch.setattr("l2rkit.data.celeba.print_log", lambda text, **_: said.append(text))
    (tmp_path / "img_align_celeba" / "000002.jpg").unlink()
    assert len(CelebA(str(tmp_path))) == 1
    assert said[0].startswith("CelebA: 1 of 2 photos of train that 'list_eval_partition.txt'")
    assert said[0].endswith("such as '000002.jpg'")
    (tmp_path / "img_align_celeba" / "000001.jpg").unlink()
    with pytest.raises(DataError, match=r"no photo of the split train, such as '000001.jpg'"):
        CelebA(str(tmp_path))


def test_celeba_list_with_a_bad_line(tmp_path):
    celeba(tmp_path)
    (tmp_path / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg\n")
    with pytest.raises(DataError, match="line 2"):
        CelebA(str(tmp_path))


def test_decode_depth():
    np.testing.assert_allclose(decode_depth(np.uint8([0, 51, 255])), [1.1, 1.06, 0.9], rtol=1e-6)


def test_depth_pairs(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    near = np.zeros((256, 256), np.uint8)
    near[60:200, 70:190] = np.linspace(100, 255, 120).astype(np.uint8)
    for kind, pixels in dict(image=photo, depth=near).items():
        path = tmp_path / "test" / kind / "01" / f"face_{kind}_1.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(pixels).save(path)
    pipeline = [dict(type="LoadPhoto"), dict(type="CentreCrop", size=170), dict(type="PackPhoto")]
    dataset = DepthPairs(str(tmp_path), "test", pipeline=pipeline)
    (sample,) = dataset
    assert sample["name"] == "01/face_image_1.png"
    inside = slice(43, 213)  # the middle 170 of 256
    # (1 - d) * 2 - 1 in [-1, 1], then to [0.9, 1.1]: Unsup3D's words for it
    raw = (1 - near[inside, inside] / 255) * 2 - 1
    oracle = (1 + raw) / 2 * 1.1 + (1 - raw) / 2 * 0.9
    np.testing.assert_allclose(sample["depth"][0], oracle, atol=1e-6)
    np.testing.assert_allclose(
        sample["photo"].permute(1, 2, 0) * 255, photo[inside, inside], atol=1e-3
    )
    assert sample["depth"].max() == sample["depth"][0, 0, 0] == pytest.approx(1.1)


def test_depth_pairs_that_do_not_match(tmp_path):
    with pytest.raises(DataError, match=r"train.image', which is missing"):
        DepthPairs(str(tmp_path))
    paint(tmp_path / "train" / "image" / "a_image.png", 1)
    paint(tmp_path / "train" / "depth" / "b_depth.png", 1)
    with pytest.raises(DataError, match="found no depth map"):
        DepthPairs(str(tmp_path))


def test_converter_aligns_resumes_and_is_read_back(tmp_path, monkeypatch):
    celeba(tmp_path / "in", count=4)
    (tmp_path / "in" / "img_align_celeba" / "000004.jpg").write_text("broken")
    portrait = Image.open(ROOT / "l2rkit" / "zoo" / "samples" / "portrait_3.jpg")
    portrait = portrait.resize((178, 218), Image.Resampling.BICUBIC, (26, 14, 357, 420))
    portrait.save(tmp_path / "in" / "img_align_celeba" / "000001.jpg")
    call = [str(tmp_path / "in"), str(tmp_path / "out"), "--size", "64"]

    def run(workers):
        done = CliRunner().invoke(tool.main, [*call, "--workers", workers])
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()[-1], done.stderr

    counts, errors = run("1")
    assert counts == "1 aligned, 2 fixed, 0 kept, 1 failed" and "000004.jpg" in errors
    monkeypatch.setattr(tool, "get_context", lambda method: dummy)  # threads
    assert run("2")[0] == "0 aligned, 0 fixed, 3 kept, 1 failed"
    images, _, identity = find_celeba(tmp_path / "out")
    assert sorted(path.name for path in images.iterdir()) == [f"00000{n}.jpg" for n in (1, 2, 3)]
    assert identity is not None
    sample = CelebA(str(tmp_path / "out"), "train", aligned_crop=False)[0]
    assert Image.open(sample["img_path"]).size == (64, 64) and sample["person"] == 101
