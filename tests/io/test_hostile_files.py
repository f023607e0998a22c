"""Files made to do harm: at each door they are one line, start nothing and take little memory."""

import io
import json
import os
import pickle
import resource
import struct
import tarfile
import zipfile
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer

from l2rkit.engine.runner import resumed as resumed_run
from l2rkit.engine.runner import weights_at
from l2rkit.errors import UserError
from l2rkit.io.checkpoints import checkpoint_to_resume
from l2rkit.io.pickles import read_foreign
from l2rkit.io.weights import read_weights, starting_state
from l2rkit.priors.readers import read_generator

LIMIT = 2**30  # bytes that a door may take beside what the process has


class Calls:
    """A pickle of it calls a function."""

    def __init__(self, function: Callable, *arguments: object) -> None:
        self.called = function, arguments

    def __reduce__(self) -> tuple:
        return self.called


def touch(canary: Path) -> Calls:
    return Calls(os.system, f"touch '{canary}'")


def command(path: Path, canary: Path) -> None:
    torch.save(dict(state_dict=dict(a=torch.ones(2)), meta=dict(x=touch(canary))), path)


def command_of_old(path: Path, canary: Path) -> None:
    torch.save(dict(a=touch(canary)), path, _use_new_zipfile_serialization=False)


def plain_pickle(path: Path, canary: Path) -> None:
    path.write_bytes(pickle.dumps(touch(canary)))


def chain(path: Path, canary: Path) -> None:
    inner = Calls(eval, f"open({str(canary)!r}, 'w')")
    for _ in range(9):
        inner = Calls(getattr, [inner, {"x": inner}], "append")
    torch.save({"state_dict": {"a": inner}}, path)


def with_state(path: Path, canary: Path) -> None:
    """Of a type that is admitted, with a state that wants to be obeyed."""
    buffer = HistoryBuffer([1.0], [1])
    buffer._statistics_methods = {"mean": touch(canary)}
    torch.save(dict(state_dict=dict(a=torch.ones(2)), message_hub=buffer), path)


def climbing(path: Path, canary: Path) -> None:
    content = io.BytesIO()
    torch.save(dict(a=torch.ones(2)), content)
    with zipfile.ZipFile(content) as good, zipfile.ZipFile(path, "w") as bad:
        for name in good.namelist():
            bad.writestr(f"../{name}", good.read(name))
        bad.writestr(f"../../..{canary}", b"here")


def bomb(path: Path, canary: Path) -> None:
    """Few bytes that would be many of pickle."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open("archive/data.pkl", "w", force_zip64=True) as part:
            part.write(bytes(2**24))
        file.writestr("archive/version", b"3\n")


def declared(path: Path, canary: Path) -> None:
    """A storage of 2 values that says it has 2^40."""
    content = io.BytesIO()
    torch.save(dict(a=torch.ones(77)), content)
    with zipfile.ZipFile(content) as good, zipfile.ZipFile(path, "w") as bad:
        for name in good.namelist():
            data = good.read(name).replace(b"KM", b"\x8a\x06\0\0\0\0\0\x01")
            bad.writestr(name, data.replace(b"KMt", b"\x8a\x06\0\0\0\0\0\x01t"))


def declared_of_old(path: Path, canary: Path) -> None:
    torch.save(dict(a=torch.ones(77)), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"KM", b"\x8a\x06\0\0\0\0\0\x01"))


def tar(path: Path, canary: Path) -> None:
    with tarfile.open(path, "w") as file:
        for name in ("storages", "tensors", "pickle"):
            data = pickle.dumps(touch(canary))
            (info := tarfile.TarInfo(name)).size = len(data)
            file.addfile(info, io.BytesIO(data))


def long_header(path: Path, canary: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2**40) + b"{}")


def overlapping(path: Path, canary: Path) -> None:
    part = dict(dtype="F32", shape=[2])
    header = json.dumps({k: part | dict(data_offsets=[0, 8]) for k in "ab"}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))


def huge_shape(path: Path, canary: Path) -> None:
    header = json.dumps({"a": dict(dtype="F32", shape=[2**38], data_offsets=[0, 2**40])}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))


PICKLES = [command, command_of_old, plain_pickle, chain, with_state, climbing, bomb, declared]
PICKLES += [declared_of_old, tar]
TENSORS = [long_header, overlapping, huge_shape]


def resumed(path: Path) -> object:
    return checkpoint_to_resume(path.parent, lambda line: None)


def begun(path: Path) -> object:
    """As training begins with `load_from`."""
    return starting_state(torch.nn.Linear(2, 2), weights_at(str(path)))


def gone_on(path: Path) -> object:
    """As training goes on with `--resume`."""
    return resumed_run(torch.nn.Linear(2, 2), str(path))


DOORS = [read_weights, read_foreign, read_generator, resumed, begun, gone_on]
CASES = [(make, door) for make in PICKLES for door in DOORS]
CASES += [(make, door) for make in TENSORS for door in (read_weights, read_generator, begun)]


def knock(make: Callable, door: Callable, folder: str, answer: object) -> None:
    """In a process of its own: what a door says of a file, and how many bytes that took."""
    path, canary = Path(folder, "iter_1.pth"), Path(folder, "canary")
    if make in TENSORS:
        path = path.with_suffix(".safetensors")
    make(path, canary)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT, used + LIMIT))
    try:
        door(path)
        said = ""
    except UserError as error:
        said = str(error)
    except BaseException as error:
        said = f"RAISED {type(error).__name__}: {error}"
    answer.send((said, canary.exists()))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="measures memory as Linux does")
@pytest.mark.parametrize("make, door", CASES, ids=lambda part: part.__name__)
def test_a_file_made_to_do_harm_does_none(make, door, tmp_path) -> None:
    mine, theirs = get_context("fork").Pipe()
    process = get_context("fork").Process(target=knock, args=(make, door, str(tmp_path), theirs))
    process.start()
    theirs.close()
    said, obeyed = mine.recv()
    process.join()
    assert not obeyed and not (tmp_path / "canary").exists()
    assert not said.startswith("RAISED"), said
    assert "\n" not in said
    assert said or door is read_foreign, "it makes inert objects, others refuse"
    assert ("unpack to" in said) == (make is bomb)
