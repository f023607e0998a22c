"""Damaged files and random arguments: each reader returns, or raises a one-line error of ours.

L2RKIT_FUZZ is the number of cases for each reader; `make soak` sets thousands.
"""

import io
import json
import os
import resource
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click import ClickException
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmengine.runner import Runner
from PIL import Image

import l2rkit.cli.reconstruct
from l2rkit.cli import main
from l2rkit.cli.common import Override
from l2rkit.config import load_config, load_model
from l2rkit.data.celeba import read_list
from l2rkit.data.celebahq import read_mapping
from l2rkit.data.ffhq import read_list as read_ffhq
from l2rkit.data.manifest import COLUMNS, read_manifest
from l2rkit.data.normal_pairs import read_vectors
from l2rkit.data.photo import photo_size, read_photo
from l2rkit.data.scans import read_exact
from l2rkit.errors import UserError
from l2rkit.io.weights import write_weights
from l2rkit.leaderboard.matrix import read_matrix
from l2rkit.leaderboard.page import read_published
from l2rkit.leaderboard.results import identity, packed, read_arrays, read_entries
from l2rkit.leaderboard.table import table
from l2rkit.restore.ncnn import convolutions
from l2rkit.viz.log import plot_logs, read_log

CASES = int(os.environ.get("L2RKIT_FUZZ", "25"))
MOST_KB = 2**20  # 1 GB, the limit of additional memory
CONFIG = str(Path(__file__).parents[1] / "configs/unsup3d/unsup3d_heads_32.py")
FIGURES = {"side": {"mean": 1.5, "std": 0.5}}
ENTRY = dict(config="a", weights_sha256=None, protocol="p", level="clean", restore="none")
ENTRY |= dict(seed=0, n=2, metrics=FIGURES)

cases = settings(
    max_examples=CASES,
    deadline=timedelta(seconds=20),  # a hang is found, a busy machine is none
    database=None,
    derandomize=CASES < 1000,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True, scope="module")
def little_memory() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KB


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def answer(reader: Callable, *given: Any) -> Any:
    """What a reader returns, or None after a one-line error."""
    try:
        return reader(*given)
    except UserError as error:
        said = str(error)
    except ClickException as error:
        said = error.message
    assert said and len(said.splitlines()) == 1, said
    return None


def pictures() -> list[bytes]:
    """A small picture in each way to write one."""
    grey = np.arange(144, dtype=np.uint8).reshape(12, 12)
    colour, made = Image.fromarray(grey).convert("RGB"), []
    modes = {"L": grey, "I;16": grey.astype(np.uint16) * 200, "F": grey / np.float32(144)}
    kinds = [(colour, kind, {}) for kind in ("JPEG", "PNG", "BMP", "GIF", "WEBP", "PPM")]
    kinds += [(colour, "JPEG", dict(progressive=True)), (colour, "JPEG2000", {})]
    kinds += [(colour.convert(mode), "PNG", {}) for mode in ("RGBA", "P", "1", "LA")]
    kinds += [(Image.fromarray(array), "TIFF", {}) for array in modes.values()]
    kinds += [(colour, "TIFF", dict(compression=c)) for c in ("tiff_lzw", "tiff_deflate", "jpeg")]
    for image, kind, how in kinds:
        image.save(file := io.BytesIO(), kind, **how)
        made.append(file.getvalue())
    return made


def archive(**arrays: Any) -> bytes:
    np.savez(file := io.BytesIO(), **arrays)
    return file.getvalue()


def array(values: Any) -> bytes:
    np.save(file := io.BytesIO(), values)
    return file.getvalue()


@st.composite
def mutated(draw: st.DrawFn, wholes: list[bytes]) -> bytes:
    """A sound file with some bytes replaced, and cut off; sometimes no such file at all."""
    content = bytearray(draw(st.sampled_from([*wholes, b""])))
    if not content:
        return draw(st.binary(max_size=200))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(content[: draw(st.none() | st.integers(0, len(content)))])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@st.composite
def altered(draw: st.DrawFn, sound: Any) -> bytes:
    """JSON like `sound`, in which a value at some depth is another or has gone."""
    content = holder = json.loads(json.dumps([sound]))
    for _ in range(draw(st.integers(0, 6))):
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = draw(st.sampled_from(keys))
        if isinstance(holder[key], dict | list) and draw(st.integers(0, 3)):
            holder = holder[key]
        elif draw(st.booleans()):
            holder[key] = draw(json_values)
        else:
            del holder[key]
            break
    return json.dumps(content[0] if content else None).encode()


def numbered(count: int) -> dict:
    """FFHQ's list of so many photos."""
    points = [[i, 2 * i] for i in range(68)]
    entry = dict(category="training", image=dict(face_landmarks=points))
    return {str(i): entry for i in range(count)}


def matrix() -> list[dict]:
    return [dict(configs=["a.py"], levels=["clean"], restorers=["none"], protocols=["x"])]


PUBLISHED = [dict(method="m", data="d", source="s", metrics=dict(side=1.0))]
MANIFEST = ",".join(COLUMNS) + "\na.jpg,me,train" + ",1.5" * 10 + '\n"b,.jpg",you,test'
MANIFEST = (MANIFEST + ",2" * 10 + "\n").encode()
LOG = b'{"loss": 1.5, "step": 1}\n{"loss": 1e9, "lr": 3, "step": 2}\n{"mse": 2, "step": 0}\n'
EXACT = archive(depth=np.ones((4, 4), np.float32), view=np.zeros(6, np.float32))
VECTORS = [array(np.ones((4, 4, 3), np.float32)), array(np.ones(3)), array(np.array(["a"]))]
RESULTS = archive(**{f"{identity(ENTRY)}.side": np.float32([1, 2])})
NCNN = b"7767517\n1 1\nConvolution c 1 1 a b 0=2 1=1 5=1 6=2\n"


def read_weights_beside(path: Path) -> list:
    path.with_suffix(".bin").write_bytes(b"\0" * 20)
    return list(convolutions(path))


def plot_of(path: Path) -> bytes:
    return plot_logs({"run": read_log(path)})


READERS = {
    "photo.bin": (read_photo, mutated(pictures())),
    "size.bin": (photo_size, mutated(pictures())),
    "manifest.csv": (read_manifest, mutated([MANIFEST])),
    "celeba.txt": (read_list, mutated([b"000001.jpg 0\n000002.jpg 12\n"])),
    "celebahq.txt": (read_mapping, mutated([b"idx orig_idx orig_file\n0 1 a.jpg\n"])),
    "ffhq.json": (lambda p: read_ffhq(p, "training"), altered(numbered(2))),
    "ffhq2.json": (lambda p: read_ffhq(p, "training"), mutated([json.dumps(numbered(1)).encode()])),
    "exact.npz": (read_exact, mutated([EXACT, archive(depth=1), VECTORS[0]])),
    "normal.npy": (read_vectors, mutated([*VECTORS, EXACT])),
    "arrays.npz": (read_arrays, mutated([RESULTS, packed(dict(a=[1.0])), VECTORS[0]])),
    "results.json": (lambda p: table(read_entries(p)), altered([ENTRY])),
    "results2.json": (read_entries, mutated([json.dumps([ENTRY]).encode()])),
    "published.json": (read_published, altered(PUBLISHED)),
    "matrix.json": (read_matrix, altered(matrix())),
    "scalars.json": (read_log, mutated([LOG])),
    "scalars2.json": (read_log, altered(dict(loss=1.5, step=3))),
    "net.param": (read_weights_beside, mutated([NCNN])),
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_is_read_or_refused_in_one_line(name: str, place: Path) -> None:
    reader, contents = READERS[name]
    (place / "results.npz").write_bytes(RESULTS)

    @cases
    @given(contents)
    def check(content: bytes) -> None:
        (place / name).write_bytes(content)
        answer(reader, place / name)

    check()


def test_what_is_not_damaged_is_read(place: Path) -> None:
    """Without this the tests would pass for readers that refuse everything."""
    sound = {
        "manifest.csv": MANIFEST,
        "celeba.txt": b"000001.jpg 0\n",
        "celebahq.txt": b"idx orig_idx orig_file\n0 1 a.jpg\n",
        "ffhq.json": json.dumps(numbered(2)).encode(),
        "exact.npz": EXACT,
        "normal.npy": VECTORS[0],
        "arrays.npz": RESULTS,
        "results.json": json.dumps([ENTRY]).encode(),
        "published.json": json.dumps(PUBLISHED).encode(),
        "matrix.json": json.dumps(matrix()).encode(),
        "scalars.json": LOG,
        "net.param": NCNN,
    }
    sound |= {f"{number}.bin": content for number, content in enumerate(pictures())}
    for name, content in sound.items():
        (place / name).write_bytes(content)
        reader = READERS.get(name, READERS["photo.bin"])[0]
        assert len(reader(place / name)), name


words = st.text(st.characters(exclude_characters="\0/", exclude_categories=("Cs",)), max_size=12)
KEYS = """
    model model.decompose model.decompose.width model.losses train_cfg.max_iters randomness.seed
    train_dataloader.dataset.pipeline.0 custom_hooks.0 custom_hooks custom_imports load_from
    optim_wrapper.optimizer.lr model.type model.decompose.type default_hooks
"""
VALUES = "None 3 [] {} {'type':3} {[]:1} -x '\\d (1,) dict(a=1) {'_delete_':1} 1e999"
values = (
    st.sampled_from(VALUES.split())
    | st.builds(lambda sign, depth: sign * depth, st.sampled_from("([{-"), st.integers(0, 400))
    | words
)
options = st.builds("{}={}".format, st.sampled_from(KEYS.split()) | words, values)


@cases
@given(words | options)
def test_an_override_is_read_or_refused(word: str) -> None:
    answer(Override().convert, word, None, None)


@settings(cases, max_examples=min(CASES, 3000))
@given(st.lists(options, min_size=1, max_size=3))
def test_a_config_is_changed_or_refused(changes: list[str]) -> None:
    pairs = [answer(Override().convert, change, None, None) for change in changes]
    answer(load_config, CONFIG, dict(pair for pair in pairs if pair))


COMMANDS = ("reconstruct", "restore", "train", "test", "print-config", "leaderboard", "zoo")
FLAGS = """
    --out --config --weights --no-align --collection --all-faces --format --watertight glb list
    --width-mm --turntable --skip-existing --device --work-dir --resume --seed --amp --launcher
    --cfg-options --restorer --restorer-options --level --protocol --restore --results --dry-run
    --check --only --matrix few.py few.safetensors file Resample scale=nan scale=2 pytorch slurm
    show x4 nan 1e300 1e999 3 -1 out photo.png results.json . .. - --help
"""
longer = st.integers(1, 400).map(lambda count: "x" * count)


@pytest.fixture(scope="module")
def here(place: Path) -> Path:
    """A folder with a config of few heads, as a training leaves it, weights, a photo and a file."""
    folder = place / "here"
    folder.mkdir()
    config = load_config(CONFIG)
    for loader in (config.train_dataloader, config.test_dataloader):
        loader.dataset.size, loader.batch_size = 4, 2
    config.dump(folder / "few.py")
    write_weights(load_model(CONFIG).state_dict(), folder / "few.safetensors")
    (folder / "photo.png").write_bytes(pictures()[1])
    (folder / "file").write_text("")
    return folder


class Began(Exception):
    """A command's work would begin now."""


SOUND = {  # words with which the work of a command would begin
    "train": "few.py --work-dir run",
    "test": "few.py few.safetensors --dry-run",
    "reconstruct": "photo.png --config few.py --weights few.safetensors --out out --no-align",
    "restore": "photo.png --restorer Resample --out out",
}


def said_by(here: Path, words: list[str]) -> Any:
    """What a command says, which may not train or measure, nor draw faces."""

    def begin(*args: Any, **kwargs: Any) -> None:
        raise Began

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setattr(l2rkit.cli.reconstruct, "each_alone", begin)
        patch.setattr("l2rkit.restore.tiles.tiled", begin)
        patch.setattr(Runner, "from_cfg", begin)
        return CliRunner().invoke(main, words)


@pytest.mark.parametrize("command", SOUND)
def test_a_command_begins(here: Path, command: str) -> None:
    result = said_by(here, [command, *SOUND[command].split()])
    assert isinstance(result.exception, Began), result.output


@settings(cases, max_examples=min(CASES, 5000))
@given(
    st.sampled_from(COMMANDS),
    st.booleans(),
    st.lists(st.sampled_from(FLAGS.split()) | words | options | longer, max_size=6),
)
def test_a_command_begins_or_says_why(here: Path, command: str, sound: bool, added: list) -> None:
    given_words = [*(SOUND.get(command, "").split() if sound else ()), *added]
    result = said_by(here, [command, *given_words])
    assert result.exit_code in (0, 1, 2), result.output
    if not isinstance(result.exception, SystemExit | Began | None):
        raise result.exception
    if result.exit_code == 2 and given_words:  # a group without words shows its help
        assert sum(line.startswith("Error: ") for line in result.stderr.splitlines()) == 1


FOUND = {
    "no UTF-8": ("celeba.txt", b"\x80000001.jpg"),
    "a digit that int() does not take": ("celeba.txt", "000001.jpg \u00b2".encode()),
    "no UTF-8 either": ("celebahq.txt", b"\n\x80 1"),
    "such a digit": ("celebahq.txt", "\n\u00b2 1 a.jpg".encode()),
    "a number that no float holds": (
        "ffhq.json",
        json.dumps(numbered(1)).replace("134", "9" * 400).encode(),
    ),
    "nested too deeply": ("ffhq.json", b"[" * 100_000),
    "a row where an archive was meant": ("arrays.npz", VECTORS[0]),
    "an array of another name": ("exact.npz", archive(deep=1)),
    "a row where depth was meant": ("exact.npz", VECTORS[0]),
    "an archive where a row was meant": ("normal.npy", EXACT),
    "a header that is no Python": ("normal.npy", VECTORS[0].replace(b"descr", b"d'scr")),
    "a metric without figures": (
        "results.json",
        json.dumps([ENTRY | dict(metrics=dict(side=3))]).encode(),
    ),
    "no protocol": ("results.json", json.dumps([dict(metrics={}, config="a")]).encode()),
    "a level that is a list": ("results.json", json.dumps([ENTRY | dict(level=[])]).encode()),
    "entries that are a number": ("published.json", b"3"),
    "metrics that are a row": ("published.json", b'[{"metrics": []}]'),
    "a group that is a row": ("matrix.json", b"[[]]"),
    "a step before which nothing is": ("scalars.json", b'{"loss": 1}'),
    "a log of no quantity": ("scalars.json", b""),
    "a line that is a number": ("scalars.json", b"3"),
    "a step that is no number": ("scalars.json", b'{"step": {}}'),
    "a step without end": ("scalars.json", b'{"step": Infinity}'),
    "a log of bytes": ("scalars.json", b"\x80"),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_was_found_is_refused(case: str, place: Path) -> None:
    name, content = FOUND[case]
    (place / name).write_bytes(content)
    reader = plot_of if name == "scalars.json" else READERS[name][0]
    with pytest.raises(UserError) as said:
        reader(place / name)
    assert len(str(said.value).splitlines()) == 1


@pytest.mark.parametrize("word", ["x={[]:1}", "x=" + "(" * 400, "x=" + "-" * 9999])
def test_a_value_that_python_cannot_read_is_a_word(word: str) -> None:
    assert Override().convert(word, None, None) == ("x", word[2:])


def test_a_part_cannot_become_nothing() -> None:
    with pytest.raises(UserError, match=r"no such change: .*pipeline\.0=None"):
        load_config(CONFIG, {"train_dataloader.dataset.pipeline.0": None})


@pytest.mark.parametrize("words", [("train",), ("reconstruct", "--out", "x"), ("test",)])
def test_a_name_that_no_disk_takes_is_one_line(words: tuple, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [*words, "n" * 300])
    assert result.exit_code in (1, 2) and isinstance(result.exception, SystemExit)


def test_an_error_is_one_line_whatever_it_quotes() -> None:
    assert str(UserError("no 'a\n\u2028 b'\r")) == "no 'a b'"
