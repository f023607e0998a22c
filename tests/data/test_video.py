"""Reading videos, and errors of bad ones."""

from pathlib import Path

import numpy as np
import pytest
from clips import plain, write_clip

from l2rkit.data import video as module
from l2rkit.data.video import VideoError, open_video, read_frames
from l2rkit.io.names import is_video


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_frames_come_in_order_with_their_numbers(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"a{suffix}", plain(7))
    video = open_video(path)
    assert (video.frames, video.fps, video.width, video.height) == (7, 10, 64, 48)
    for first in (0, 4, 7, 99):
        found = list(read_frames(path, first))
        assert [number for number, _ in found] == list(range(first, 7))
        for number, frame in found:
            assert frame.shape == (48, 64, 3) and abs(frame.mean() - 20 - 10 * number) < 5


def test_colours_are_red_first(tmp_path: Path) -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    ((_, frame),) = read_frames(write_clip(tmp_path / "a.mp4", [red]))
    assert frame[..., 0].mean() > 180 and frame[..., 1:].mean() < 20


def test_names_tell_videos() -> None:
    assert is_video("a.MP4") and is_video(Path("b.webm"))
    assert not is_video("a.jpg") and not is_video("mp4") and not is_video("a.gif")


PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"no video at all", "is not a video in a known format"),
        (PLAYLIST, "is not a video in a known format"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(99), "is damaged, cut short, or in a coding"),
        (b"\x1aE\xdf\xa3" + bytes(50), "is damaged, cut short, or in a coding"),
        (b"RIFF" + bytes(50), "is damaged, cut short, or in a coding"),
    ],
)
def test_what_is_no_video_is_one_line(
    tmp_path: Path, content: bytes, said: str, capfd: pytest.CaptureFixture
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=said) as error:
        open_video(path)
    assert "a.mp4" in str(error.value) and "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")  # nor does FFmpeg say anything


def test_nor_is_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    for name, said in (("none.mp4", "no such file"), ("folder.mp4", "is a folder")):
        with pytest.raises(VideoError, match=said):
            open_video(tmp_path / name)


def test_one_that_is_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noisy = [rng.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(20)]
    path = write_clip(tmp_path / "a.avi", noisy)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert open_video(path).width == 64
    assert 5 < len(list(read_frames(path))) < 15
    path = write_clip(tmp_path / "b.mp4", noisy)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])  # its index is gone
    with pytest.raises(VideoError, match="is damaged, cut short"):
        open_video(path)


def test_huge_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mp4", plain(7))
    monkeypatch.setattr(module, "MOST_FRAMES", 6)
    with pytest.raises(VideoError, match="has 7 frames; the limit is 6: cut it into parts"):
        open_video(path)
    assert len(list(read_frames(path))) == 6  # whatever the header says
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    with pytest.raises(VideoError, match=r"64 x 48 px need 0\.0 GB to be read"):
        open_video(path)
    tiny = write_clip(tmp_path / "tiny.avi", plain(2, (6, 64)))
    monkeypatch.undo()
    with pytest.raises(VideoError, match="64 x 6 px, at least 8 px a side"):
        open_video(tiny)
