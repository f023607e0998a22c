"""The videos of `reconstruct`: writes a mesh for each frame, and a side-by-side video."""

import io
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import UserError
from .common import complain, say
from .common import writing as writing_files
from .outputs import Writing
from .paths import OF_FRAMES, PROGRESS

if TYPE_CHECKING:
    import numpy as np

    from ..apis.reconstruction import Reconstruction
    from ..apis.reconstructor import Reconstructor

PARTS_NAMED = 6  # most ranges of frames in the line about frames without a face
CUT_SHORT = 0.98  # share of the header's frames below which a video counts as cut short
Arrays = dict[str, "np.ndarray"]


@dataclass
class Track:
    """The progress on a video.

    source: a hash of video, model and options; done: number of frames done; poses: the arrays of
    each face by name; state: of the smoothing.
    """

    source: str
    done: int = 0
    poses: dict[str, list] = field(
        default_factory=lambda: {"frame": [], "view": [], "light": [], "crop": []}
    )
    state: Arrays = field(default_factory=dict)

    def add(self, face: "Reconstruction") -> None:
        """Appends the face of the current frame."""
        own = {
            "frame": self.done,
            "view": face.face.view[0].numpy(),
            "light": face.face.light.packed()[0].numpy(),
            "crop": face.crop,
        }
        for name, value in own.items():
            self.poses[name].append(value)

    def arrays(self) -> Arrays:
        """The poses, and the source."""
        import numpy as np

        empty = {"frame": (0,), "view": (0, 6), "light": (0, 5), "crop": (0, 2, 3)}
        found = {k: np.array(v).reshape(len(v), *empty[k][1:]) for k, v in self.poses.items()}
        return found | {"source": np.array(self.source)}

    def packed(self) -> bytes:
        """The content of the progress file."""
        import numpy as np

        file = io.BytesIO()
        named: dict[str, Any] = {f"state/{key}": value for key, value in self.state.items()}
        np.savez(file, done=self.done, **self.arrays(), **named)
        return file.getvalue()

    @classmethod
    def read(cls, path: Path, source: str) -> "Track":
        """The progress in the file at `path`; a new one if it is missing or of another source."""
        found = arrays_of(path)
        if not source or str(found.get("source")) != source or "done" not in found:
            return cls(source)
        state = {k.removeprefix("state/"): v for k, v in found.items() if k.startswith("state/")}
        poses = {name: list(found[name]) for name in cls("").poses}
        return cls(source, int(found["done"]), poses, state)


def arrays_of(path: Path) -> Arrays:
    """The arrays of a file by name; none if it is missing or broken."""
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except Exception:  # a broken file may raise anything
        return {}


def each_clip(
    model: "Reconstructor", clips: dict[Path, str], folder: Path, writing: Writing
) -> int:
    """Writes the files of each video by its name. Returns how many videos failed."""
    failed = 0
    for path, name in clips.items():
        try:
            one_clip(model, path, folder, name, writing)
        except UserError as error:
            failed += 1
            complain(error)
    return failed


def one_clip(model: "Reconstructor", path: Path, folder: Path, name: str, writing: Writing) -> None:
    """Writes NAME.mp4, NAME.npz and, into the folder NAME, a mesh for each frame with a face.

    Raises:
        UserError: the video cannot be read or holds no face, or the disk is too small.
    """
    from ..data.video import VideoError, open_video

    video, source, home = open_video(path), writing.source(path), folder / name
    ending = ", ".join(sorted(set(writing.formats)))
    source = source and f"{source} {ending}"
    if writing.skip_existing and finished(folder, name, source):
        say(f"{path}: {folder / name}.mp4 and {ending} in {home} are there")
        writing.clips.append(folder / f"{name}.mp4")
        return
    with writing_files():
        home.mkdir(parents=True, exist_ok=True)
        track = Track.read(home / PROGRESS, source) if writing.skip_existing else Track(source)
        if track.done == 0:
            clear(folder, name)
            _save(home, track)
    if track.done:
        say(f"{path}: goes on after {track.done} frames")
    frames(model, video, home, track, writing)
    if track.done < CUT_SHORT * video.frames:
        say(f"{path}: ended after {track.done} of {video.frames} frames: is it whole?", err=True)
    found = track.poses["frame"]
    if not found:
        clear(folder, name)
        with suppress(OSError):  # files of the user's own are in it
            home.rmdir()
        raise VideoError(path, f"no face found in any of {track.done} frames")
    if missing := sorted(set(range(track.done)) - set(map(int, found))):
        say(f"{path}: no face in {len(missing)} of {track.done} frames: {ranges(missing)}")
    with writing_files():
        plays = finish(folder, name, track, video.fps)
    if not plays:
        say(f"{folder / name}.mp4 is MPEG-4, which browsers do not play: this OpenCV has no VP9")
    writing.clips.append(folder / f"{name}.mp4")
    say(f"{path} -> {folder / name}.mp4, {folder / name}.npz, {len(found)} {ending} in {home}")


def frames(model: "Reconstructor", video: Any, home: Path, track: Track, writing: Writing) -> None:
    """Writes the files of all frames that are not done, and shows the progress.

    Raises:
        UserError: the disk lacks room for all of them.
    """
    from ..apis.clip import ClipReconstructor
    from ..data.video import read_frames

    clip = ClipReconstructor(model)
    clip.load(track.state)
    faces, left = 0, video.frames - track.done
    with ExitStack() as stack:
        bar = None
        for number, frame in read_frames(video.path, track.done):
            begin = time.monotonic()
            face = clip(frame, number / video.fps)
            with writing_files():
                size = write_frame(home, number, frame, face, number / video.fps, writing)
                if face is not None:
                    track.add(face)
                track.done, track.state = number + 1, clip.state()
                _save(home, track)
            faces += face is not None
            if bar is not None:
                bar.update(1)
            elif faces == 2:  # the time of the first includes compiling
                after = video.frames - track.done
                announce(video, home, after, time.monotonic() - begin, size)
                bar = stack.enter_context(
                    click.progressbar(length=left, label=video.path.name, file=sys.stderr)
                )
                bar.update(left - after)


def announce(video: Any, home: Path, left: int, seconds: float, size: int) -> None:
    """Prints the time and disk space that the remaining frames need.

    Raises:
        UserError: the disk has less free space.
    """
    needed, free = left * size, shutil.disk_usage(home).free
    say(
        f"{video.path}: {video.frames} frames of {video.width} x {video.height} px; "
        f"about {duration(left * seconds)} and {needed / 1e6:.0f} MB to go"
    )
    if needed > free:
        raise UserError(
            f"{home} has {free / 1e6:.0f} MB free, {video.path} needs {needed / 1e6:.0f} MB"
        )


def write_frame(
    home: Path,
    number: int,
    frame: "np.ndarray",
    face: "Reconstruction | None",
    time_s: float,
    writing: Writing,
) -> int:
    """Writes the meshes of a frame and its picture for the video. Returns the bytes written."""
    import cv2

    from ..io.files import write_atomic
    from ..viz.clip import beside
    from ..viz.formats import MESHES

    name = f"{number:06d}"
    _, jpeg = cv2.imencode(".jpg", beside(frame, face, time_s)[..., ::-1], [1, 95])
    contents = {".jpg": jpeg.tobytes()}
    if face is not None:
        mesh = face.mesh(**writing.shape)
        for kind in writing.formats:
            contents |= MESHES[kind].write(mesh, name)
    for ending, content in contents.items():
        write_atomic(home / f"{name}{ending}", content)
    return sum(map(len, contents.values()))


def finish(folder: Path, name: str, track: Track, fps: float) -> bool:
    """Makes the video from the frames' pictures, deletes them, and writes the poses last.

    Returns whether browsers play the video.
    """
    import numpy as np

    from ..io.files import write_atomic
    from ..viz.clip import PLAYED, write_mp4

    home = folder / name
    pictures = [home / f"{number:06d}.jpg" for number in range(track.done)]
    whole = home / "whole.mp4"  # unlike a file beside the video, it is no video of the next run
    coding = write_mp4(whole, map(_read, pictures), fps)
    whole.replace(folder / f"{name}.mp4")
    file = io.BytesIO()
    poses: dict[str, Any] = track.arrays()
    np.savez_compressed(file, **poses, fps=fps)
    write_atomic(folder / f"{name}.npz", file.getvalue())
    for path in (*pictures, home / PROGRESS):
        path.unlink(missing_ok=True)
    return coding == PLAYED


def finished(folder: Path, name: str, source: str) -> bool:
    """Whether a video is done completely, from the same source."""
    there = (folder / f"{name}.mp4").is_file() and (folder / name).is_dir()
    said = arrays_of(folder / f"{name}.npz").get("source") if there else None
    return bool(source) and str(said) == source


def clear(folder: Path, name: str) -> None:
    """Removes the files that an earlier run made from a video."""
    for path in (folder / name).iterdir():
        if OF_FRAMES.fullmatch(path.name):
            path.unlink()
    for path in (folder / name / PROGRESS, folder / f"{name}.npz", folder / f"{name}.mp4"):
        path.unlink(missing_ok=True)


def ranges(numbers: Sequence[int]) -> str:
    """Sorted integers as ranges: "0-3, 17"."""
    parts = list(_runs(numbers))
    named = [f"{a}-{b}" if b > a else f"{a}" for a, b in parts[:PARTS_NAMED]]
    rest = len(parts) - len(named)
    return ", ".join(named) + (f" and {rest} more places" if rest else "")


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in numbers[1:]:
        if number > last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def duration(seconds: float) -> str:
    """A time in seconds, minutes or hours, such as "12 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _save(home: Path, track: Track) -> None:
    from ..io.files import write_atomic

    write_atomic(home / PROGRESS, track.packed())


def _read(path: Path) -> "np.ndarray":
    import cv2

    picture = cv2.imread(str(path))
    if picture is None:
        raise UserError(f"{path} is not there any more, or broken: run it without --skip-existing")
    return picture[..., ::-1]
