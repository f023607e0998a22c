"""`l2rkit reconstruct` on videos: outputs, continuation, and errors."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from click.testing import CliRunner, Result
from clips import plain, write_clip

from l2rkit.apis.clip import ClipReconstructor
from l2rkit.cli import clips as module
from l2rkit.cli.clips import duration, ranges
from l2rkit.cli.paths import paths_of
from l2rkit.cli.reconstruct import reconstruct
from l2rkit.cli.restore import restore
from l2rkit.data.align import NoFaceError
from l2rkit.data.video import open_video
from l2rkit.io.files import is_ours
from l2rkit.io.names import VIDEOS
from l2rkit.zoo import FOLDER

COUNT = 7


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 60, (48, 64, 3), np.uint8) for _ in range(COUNT)]
    return write_clip(tmp_path / "me.mp4", [a + b for a, b in zip(plain(COUNT), noise)])


@pytest.fixture
def run(config: Path, weights: Path, tmp_path: Path):
    def run(*words: object) -> Result:
        options = ["--config", config, "--weights", weights, "--out", tmp_path / "out"]
        words = [str(word) for word in [*words, *options, "--no-align"]]
        return CliRunner().invoke(reconstruct, words)

    return run


def content(folder: Path) -> dict[str, bytes]:
    """All files below a folder by name; arrays of a .npz, whose bytes depend on the time, apart."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".npz":
            found[name] = b"".join(v.tobytes() for v in dict(np.load(path)).values())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def test_each_frame_is_a_mesh_and_all_are_a_video(run, clip: Path, tmp_path: Path) -> None:
    result = run(clip, "--format", "glb", "--format", "stl")
    assert result.exit_code == 0, result.output
    out = tmp_path / "out"
    numbers = [f"{i:06d}" for i in range(COUNT)]
    names = {f"me-3d/{number}.{kind}" for number in numbers for kind in ("glb", "stl")}
    assert set(content(out)) == names | {"me-3d.mp4", "me-3d.npz"}
    assert len(trimesh.load(out / "me-3d" / "000003.glb", force="mesh").vertices) > 300
    video = open_video(out / "me-3d.mp4")
    assert (video.frames, video.fps, video.height, video.width) == (COUNT, 10, 48, 64 + 64 + 48)
    capture = cv2.VideoCapture(str(out / "me-3d.mp4"))
    for number in range(COUNT):
        _, frame = capture.read()
        assert abs(frame[:, :64].mean() - 50 - 10 * number) < 9  # the frame is at the left
        assert frame[:4, -4:].min() > 220  # what is turned stands on white
    poses = np.load(out / "me-3d.npz")
    assert poses["frame"].tolist() == list(range(COUNT)) and float(poses["fps"]) == 10
    shapes = [poses[name].shape[1:] for name in ("view", "light", "crop")]
    assert shapes == [(6,), (5,), (2, 3)]


def test_browsers_play_the_video_or_a_line_says_that_they_do_not(
    run, tmp_path: Path, monkeypatch
) -> None:
    clip = write_clip(tmp_path / "me.mp4", plain(2))

    def coding() -> bytes:
        capture = cv2.VideoCapture(str(tmp_path / "out" / "me-3d.mp4"))
        return int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")

    assert "do not play" not in run(clip).output and coding() in (b"vp09", b"VP90")
    monkeypatch.setattr("l2rkit.viz.clip.CODINGS", ("none", "mp4v"))
    result = run(clip)
    assert result.exit_code == 0 and coding() in (b"mp4v", b"FMP4")
    assert "me-3d.mp4 is MPEG-4, which browsers do not play" in result.stdout


def test_a_folder_stands_for_its_videos_too(run, tmp_path: Path) -> None:
    own = tmp_path / "both"
    own.mkdir()
    write_clip(own / "me.mp4", plain(2))
    cv2.imwrite(str(own / "photo.jpg"), plain(1)[0])
    result = run(own, "--format", "obj")
    out = tmp_path / "out"
    assert result.exit_code == 0 and "passed over" not in result.output
    assert result.stdout.splitlines()[-1] == f"1 face and 1 video -> {out / 'index.html'}"
    assert (out / "photo.obj").is_file() and (out / "me-3d.mp4").is_file()
    page = (out / "index.html").read_text("utf-8")
    assert page.count("<canvas") == 1 and 'src="./me-3d.mp4"' in page
    again = run(own, "--format", "obj", "--skip-existing")  # the page shows what is there
    assert (
        "are there" in again.stdout
        and (out / "index.html").read_text("utf-8").count("<video ") == 1
    )

    shutil.copytree(out, own, dirs_exist_ok=True)  # as if written there
    (own / "me-3d" / "000000.jpg").touch()  # of a run that was interrupted
    found = paths_of([str(own)], own, suffixes=VIDEOS)
    assert [path.name for path in found] == ["me.mp4", "photo.jpg"]
    restored = CliRunner().invoke(restore, [str(own), "--out", str(own), "--restorer", "Resample"])
    assert "1 .mp4" in restored.stderr or "2 .mp4" in restored.stderr


def test_time_and_room_are_said_before_the_work(run, clip: Path, monkeypatch) -> None:
    said = run(clip).stdout.splitlines()
    line = rf"{COUNT} frames of 64 x 48 px; about \d+ (s|min) and \d+ MB to go$"
    assert re.search(line, said[0]) and said[-1].startswith(f"{clip} -> ")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 9))
    full = run(clip)
    assert full.exit_code == 1 and "has 0 MB free, " in full.stderr


def test_what_is_killed_goes_on_as_if_it_had_not_been(
    run, clip: Path, tmp_path: Path, monkeypatch
) -> None:
    assert run(clip).exit_code == 0
    expected = content(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    done, write = [], module.write_frame

    def killed(home: Path, number: int, *others: object) -> int:
        done.append(number)
        if number == 4:
            raise KeyboardInterrupt
        return write(home, number, *others)

    monkeypatch.setattr(module, "write_frame", killed)
    assert run(clip, "--skip-existing").exit_code != 0 and not (tmp_path / "out/me-3d.mp4").exists()
    monkeypatch.setattr(module, "write_frame", lambda *all: done.append(all[1]) or write(*all))
    again = run(clip, "--skip-existing")
    assert again.exit_code == 0 and "goes on after 4 frames" in again.stdout
    assert done == [0, 1, 2, 3, 4, 4, 5, 6]
    assert content(tmp_path / "out") == expected
    assert "are there" in run(clip, "--skip-existing").stdout and len(done) == 8
    assert "are there" not in run(clip, "--skip-existing", "--format", "ply").stdout  # other wishes


def test_another_video_of_the_name_begins_anew(run, clip: Path, tmp_path: Path) -> None:
    assert run(clip).exit_code == 0
    write_clip(clip, plain(3))
    result = run(clip, "--skip-existing")
    assert result.exit_code == 0 and "are there" not in result.stdout
    assert len(list((tmp_path / "out" / "me-3d").glob("*.glb"))) == 3  # none of the older frames


def lost_in(frames: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    whole, at = ClipReconstructor.__call__, []

    def call(self: ClipReconstructor, frame: np.ndarray, time_s: float) -> object:
        at.append(time_s)
        return None if round(time_s * 10) in frames else whole(self, frame, time_s)

    monkeypatch.setattr(ClipReconstructor, "__call__", call)


def test_frames_without_a_face_are_one_line(run, clip: Path, tmp_path: Path, monkeypatch) -> None:
    lost_in({0, 2, 3}, monkeypatch)
    result = run(clip)
    assert result.exit_code == 0, result.output
    assert f"{clip}: no face in 3 of {COUNT} frames: 0, 2-3" in result.stdout.splitlines()
    out = tmp_path / "out"
    assert sorted(p.stem for p in (out / "me-3d").glob("*.glb")) == [
        f"{i:06d}" for i in (1, 4, 5, 6)
    ]
    assert np.load(out / "me-3d.npz")["frame"].tolist() == [1, 4, 5, 6]
    assert open_video(out / "me-3d.mp4").frames == COUNT  # they are shown without one


def test_a_video_without_any_face_fails_and_leaves_nothing(
    run, clip: Path, tmp_path: Path, monkeypatch
) -> None:
    lost_in(set(range(COUNT)), monkeypatch)
    result = run(clip)
    assert result.exit_code == 1 and "no face found in any of 7 frames" in result.stderr
    assert not list((tmp_path / "out").iterdir())


def test_a_video_without_any_face_leaves_what_users_put_into_its_folder(
    run, clip: Path, tmp_path: Path, monkeypatch
) -> None:
    assert run(clip).exit_code == 0
    (tmp_path / "out" / "me-3d" / "scene.blend").write_text("mine")
    lost_in(set(range(COUNT)), monkeypatch)
    assert run(clip).exit_code == 1
    assert content(tmp_path / "out") == {"me-3d/scene.blend": b"mine"}


def test_bad_videos_fail_alone(run, clip: Path, tmp_path: Path) -> None:
    bad, empty = tmp_path / "bad.mp4", tmp_path / "empty.mov"
    bad.write_bytes(clip.read_bytes()[:500])
    empty.touch()
    result = run(bad, empty, tmp_path / "none.mkv", clip)
    assert result.exit_code == 1 and "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("failed")]
    assert [line.split("'")[1] for line in lines] == [str(bad), str(empty), f"{tmp_path}/none.mkv"]
    assert "3 of 4 photos and videos failed" in result.stderr
    assert (tmp_path / "out" / "me-3d.mp4").is_file()


def test_a_cut_video_is_done_as_far_as_it_goes(run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = (rng.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(12))
    path = write_clip(tmp_path / "cut.avi", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    result = run(path)
    assert result.exit_code == 0, result.output
    assert "of 12 frames: is it whole?" in result.stderr or open_video(path).frames < 12


def test_what_is_somebody_elses_stays(run, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "me-3d").mkdir(parents=True)
    (out / "me-3d" / "000000.glb").write_text("mine")
    refused = run(clip)
    assert refused.exit_code == 2 and "none of l2rkit's" in refused.stderr
    shutil.rmtree(out / "me-3d")
    shutil.copy(clip, out / "me-3d.mp4")
    for words in ((clip,), (clip, out / "me-3d.mp4")):
        refused = run(*words)
        assert refused.exit_code == 2 and len(refused.stderr.strip().splitlines()) == 1
        assert (out / "me-3d.mp4").read_bytes() == clip.read_bytes()
    (out / "me-3d.mp4").unlink()
    assert run(clip).exit_code == 0 and is_ours(out / "me-3d.mp4")
    assert run(clip).exit_code == 0  # its own may be written again


def test_what_is_for_photos_is_refused(run, clip: Path) -> None:
    for word in ("--turntable", "--relight", "--all-faces"):
        result = run(clip, word)
        assert result.exit_code == 2 and "are for photos, not videos" in result.stderr


def test_a_face_that_moves_is_smoothed_and_one_that_is_lost_is_begun_anew(
    config: Path, weights: Path
) -> None:
    from l2rkit.apis.reconstructor import Reconstructor

    clip = ClipReconstructor(Reconstructor(config, weights, align=False))
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (40, 40, 3), np.uint8) for _ in range(12)]
    steady = [clip(frame, i / 25).face for i, frame in enumerate(frames)]
    raw = [clip.model(frame)[0].face for frame in frames]
    for name in ("depth", "albedo", "view"):
        values = [np.stack([getattr(f, name).numpy() for f in fs]) for fs in (steady, raw)]
        np.testing.assert_array_equal(values[0][0], values[1][0])
        assert (
            np.abs(np.diff(values[0], axis=0)).mean() < 0.7 * np.abs(np.diff(values[1], 0)).mean()
        )
    for one in steady:
        assert one.light.direction.norm() == pytest.approx(1, abs=1e-5)

    class Lost:
        began = True

        def __call__(self, frame: np.ndarray, time_s: float) -> object:
            raise NoFaceError("frame", "gone")

    clip.follower = Lost()
    assert clip(frames[0], 1.0) is None


def test_words() -> None:
    assert ranges([0, 1, 2, 5, 7, 8]) == "0-2, 5, 7-8"
    assert ranges(list(range(0, 20, 2))) == "0, 2, 4, 6, 8, 10 and 4 more places"
    assert [duration(s) for s in (0.2, 89, 150, 7200)] == ["1 s", "89 s", "2 min", "2.0 h"]


def test_crops_follow_a_face_that_moves(config: Path, weights: Path, tmp_path: Path) -> None:
    photo = cv2.imread(str(FOLDER / "samples" / "portrait_3.jpg"))[..., ::-1]
    small = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    height, width = (side // 2 * 2 for side in small.shape[:2])
    wide = np.pad(small[:height, :width], ((0, 0), (0, 40), (0, 0)), mode="edge")
    path = write_clip(tmp_path / "a.avi", [np.roll(wide, 4 * i, axis=1) for i in range(4)])
    options = ["--config", config, "--weights", weights, "--out", tmp_path / "out"]
    result = CliRunner().invoke(reconstruct, [str(word) for word in (path, *options)])
    assert result.exit_code == 0, result.output
    crop = np.load(tmp_path / "out" / "a-3d.npz")["crop"]
    middles = np.stack([-np.linalg.solve(m[:, :2], m[:, 2] - 15.5) for m in crop])
    way = middles[3] - middles[0]
    assert 6 < way[0] < 13 and abs(way[1]) < 2  # 12 px, less what the smoothing lags behind


def test_the_folder_of_frames_keeps_what_users_put_there(run, clip: Path, tmp_path: Path) -> None:
    """Before, the next run deleted pictures of frames that other programs had written there."""
    assert run(clip).exit_code == 0
    home = tmp_path / "out" / "me-3d"
    (home / "000001.png").write_text("mine")
    (home / "000002.tif").write_text("mine")
    assert run(clip).exit_code == 0
    assert [(home / name).read_text() for name in ("000001.png", "000002.tif")] == ["mine"] * 2
    (home / "000003.jpg").write_text("mine")  # a run would write a picture of this name
    refused = run(clip)
    assert refused.exit_code == 2 and "000003.jpg is none of l2rkit's" in refused.stderr
    assert (home / "000003.jpg").read_text() == "mine"


def test_links_beside_the_video_are_not_followed(run, clip: Path, tmp_path: Path) -> None:
    """Before, the video was first written into `me-3d.mp4.part.mp4`, whatever that led to."""
    assert run(clip).exit_code == 0
    precious = tmp_path / "precious"
    precious.write_text("precious")
    links = [tmp_path / "out" / "me-3d.mp4.part.mp4", tmp_path / "out" / "me-3d" / "whole.mp4"]
    for link in links:
        link.symlink_to(precious)
    assert run(clip).exit_code == 0
    assert precious.read_text() == "precious"
    assert is_ours(tmp_path / "out" / "me-3d.mp4")


def test_a_killed_run_leaves_no_video_for_the_next(run, clip: Path, tmp_path: Path, monkeypatch):
    """Before, `me-3d.mp4.part.mp4` was a video of the next run into the videos' own folder."""

    def killed(path: Path, *others: object) -> str:
        path.write_bytes(clip.read_bytes())
        raise KeyboardInterrupt

    monkeypatch.setattr("l2rkit.viz.clip.write_mp4", killed)
    assert run(clip, "--out", tmp_path).exit_code != 0
    assert paths_of([str(tmp_path)], tmp_path, suffixes=VIDEOS) == [clip]
