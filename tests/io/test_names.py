"""Names of output files: none shared, also with the further faces of other photos."""

from pathlib import Path
from time import perf_counter

import pytest

from l2rkit.io.names import output_names

ENDINGS = (".npz", ".obj", ".mtl", "-albedo.png", ".png")


@pytest.mark.parametrize(
    "photos",
    [
        ["a.jpg", "a-face2.jpg"],
        ["a-face2.jpg", "a.jpg"],
        ["A.jpg", "a-FACE3.jpg"],
        ["a.jpg", "a-face2-albedo.jpg"],
        ["a-face2.jpg", "a-face3.jpg", "b.jpg", "b.png"],
    ],
)
def test_no_two_photos_share_a_file_whatever_faces_they_have(photos):
    names = output_names([Path(photo) for photo in photos], ENDINGS, every_face=True)
    files = [
        f"{name}{face}{ending}".casefold()
        for name in names
        for face in ("", "-face2", "-face3")
        for ending in ENDINGS
    ]
    assert len(set(files)) == len(files)


def test_faces_of_nobody_keep_their_names():
    photos = [Path("a-face2.jpg"), Path("a-face3.jpg")]
    assert output_names(photos, ENDINGS, every_face=True) == ["a-face2", "a-face3"]
    assert output_names([Path("a.jpg"), *photos], ENDINGS) == ["a", "a-face2", "a-face3"]


def test_the_time_is_linear_in_the_photos():
    def seconds(count: int) -> float:
        photos = [Path(f"IMG_{number:05d}.jpg") for number in range(count)]
        begun = perf_counter()
        assert len(set(output_names(photos, ENDINGS, every_face=True))) == count
        return perf_counter() - begun

    few = min(seconds(500) for _ in range(3))
    assert seconds(5000) < 40 * few  # ten times as many; squares would take a hundred times
