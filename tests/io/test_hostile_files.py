"""Hostile files give one line in each reader, run no code and take little memory."""

import codecs
import io
import json
import os
import pickle
import struct
import sys
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from itertools import groupby
from multiprocessing import get_context
from operator import itemgetter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import safetensors.torch
import torch
from measuring import apart, measured, needs_linux
from mmengine.logging import HistoryBuffer

from l2rkit.engine.runner import resumed as resumed_run
from l2rkit.engine.runner import weights_at
from l2rkit.errors import UserError
from l2rkit.io.checkpoints import checkpoint_to_resume
from l2rkit.io.pickles import read_foreign
from l2rkit.io.weights import read_weights, starting_state
from l2rkit.priors.readers import read_generator

LIMIT = 2**30  # bytes of additional memory that a reader may use
SECONDS = 10


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
    """Of a type that is admitted, with a state that would run code."""
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


def saved(path: Path, **tensors: object) -> None:
    torch.save(dict(state_dict=tensors, meta=dict(iter=1)), path)


def memo(path: Path, canary: Path) -> None:
    """Nine bytes: an entry of the memo with an index of 2^29."""
    path.write_bytes(b"\x80\x02]r\xff\xff\xff\x1f.")


def expanded(path: Path, canary: Path) -> None:
    """One number that is seen 2^30 times."""
    saved(path, a=torch.zeros(1).expand(2**30))


def shared(path: Path, canary: Path) -> None:
    """A thousand different views of one storage."""
    whole = torch.zeros(2**20)
    saved(path, **{f"a{start}": whole[start:] for start in range(1000)})


def swelling(path: Path, canary: Path) -> None:
    """Text that is encoded as twice as much, and again."""
    inner: object = "a" * 2**10
    for _ in range(22):
        inner = Calls(codecs.encode, inner, "hex")
    saved(path, a=torch.ones(2), b=inner)


def large_scalar(path: Path, canary: Path) -> None:
    """A number of NumPy with 2 GB."""
    number = Calls(np.dtype, "V2147483647")
    saved(path, a=torch.ones(2), b=Calls(np.float64(0).__reduce__()[0], number))


def large_array(path: Path, canary: Path) -> None:
    saved(path, a=torch.ones(2), b=Calls(np.zeros(0).__reduce__()[0], np.ndarray, (2**29,), "O"))


def doubling(path: Path, canary: Path) -> None:
    """A buffer of logs that is made of lists in lists, each twice."""
    inner: object = [1.0]
    for _ in range(26):
        inner = [inner, inner]
    saved(path, a=torch.ones(2), b=Calls(HistoryBuffer, inner, inner))


def pipes(path: Path, canary: Path) -> None:
    """A tar whose parts are pipes, which nobody writes to."""
    with tarfile.open(path, "w") as file:
        for name in ("storages", "tensors", "pickle"):
            info = tarfile.TarInfo(name)
            info.type = tarfile.FIFOTYPE
            file.addfile(info)


def pipe(path: Path, canary: Path) -> None:
    os.mkfifo(path)


def nan(path: Path, canary: Path) -> None:
    saved(path, a=torch.tensor([1.0, torch.nan]))


def infinite(path: Path, canary: Path) -> None:
    saved(path, a=torch.tensor([1.0, torch.inf]))


def meta(path: Path, canary: Path) -> None:
    saved(path, a=torch.ones(2**20, device="meta"))


def sparse(path: Path, canary: Path) -> None:
    saved(path, a=torch.ones(4, 4).to_sparse())


def quantized(path: Path, canary: Path) -> None:
    saved(path, a=torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8))


def complex_numbers(path: Path, canary: Path) -> None:
    saved(path, a=torch.ones(4, dtype=torch.complex64))


def other_scale(path: Path, canary: Path) -> None:
    """Numbers in 8 bits, whose scale has as many as would give 6 GB."""
    state = {"a": torch.ones(1, 4096, dtype=torch.int8), "a:scale": torch.ones(400_000)}
    safetensors.torch.save_file(state, path)


def nan_in_it(path: Path, canary: Path) -> None:
    safetensors.torch.save_file({"a": torch.full((3,), torch.nan)}, path)


def network(parts: dict, parameters: dict | None = None) -> Calls:
    """A pickled network of NVIDIA's; the module exists in the process that writes it, alone."""
    module = sys.modules.setdefault("torch_utils.persistence", ModuleType("persistence"))
    sys.modules.setdefault("torch_utils", ModuleType("torch_utils"))
    name = "_reconstruct_persistent_obj"
    if not hasattr(module, name):
        function = lambda meta: None  # noqa: E731
        function.__module__, function.__qualname__ = "torch_utils.persistence", name
        setattr(module, name, function)
    state = dict(_modules=parts, _parameters=parameters or {}, _buffers={})
    return Calls(getattr(module, name), dict(state=state))


def nested(path: Path, canary: Path) -> None:
    """Parts in parts, each twice: 2^24 of them."""
    part = network({})
    for _ in range(24):
        part = network(dict(a=part, b=part))
    path.write_bytes(pickle.dumps(dict(G_ema=part)))


def deflated(path: Path, canary: Path) -> None:
    """A tensor's storage of 1.3 GB in a zip that is packed."""
    content, packed = io.BytesIO(), io.BytesIO()
    torch.save(torch.FloatStorage(16), content)
    with (
        zipfile.ZipFile(content) as good,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bad,
    ):
        for name in good.namelist():
            data = good.read(name)
            if name.endswith("/0"):
                with bad.open(name, "w", force_zip64=True) as part:
                    for _ in range(80):
                        part.write(bytes(2**24))
            else:
                bad.writestr(name, data.replace(b"K\x10", b"\x8a\x05\0\0\0\x14\0"))
    weight = Calls(torch.storage._load_from_bytes, packed.getvalue())
    path.write_bytes(pickle.dumps(dict(G_ema=network({}, dict(w=weight)))))


PICKLES = [command, command_of_old, plain_pickle, chain, with_state, climbing, bomb, declared]
PICKLES += [declared_of_old, tar, memo, expanded, shared, swelling, large_scalar, large_array]
PICKLES += [doubling, pipes, pipe, nan, infinite, meta, sparse, quantized, complex_numbers]
TENSORS = [long_header, overlapping, huge_shape, other_scale, nan_in_it]
NETWORKS = [plain_pickle, memo, nested, deflated]


def resumed(path: Path) -> object:
    return checkpoint_to_resume(path.parent, lambda line: None)


def begun(path: Path) -> object:
    """As training begins with `load_from`."""
    return starting_state(torch.nn.Linear(2, 2), weights_at(str(path)))


def gone_on(path: Path) -> object:
    """As training goes on with `--resume`."""
    return resumed_run(torch.nn.Linear(2, 2), str(path))


READERS = [read_weights, read_foreign, read_generator, resumed, begun, gone_on]
CASES = [(make, reader, ".pth") for make in PICKLES for reader in READERS]
CASES += [
    (make, reader, ".safetensors")
    for make in TENSORS
    for reader in (read_weights, read_generator, begun)
]
CASES += [(make, read_generator, ".pkl") for make in NETWORKS]
if os.environ.get("L2RKIT_HOSTILE") != "all":  # each file once, the readers in turn
    of_each = [list(pairs) for _, pairs in groupby(CASES, itemgetter(0, 2))]
    CASES = [pairs[number % len(pairs)] for number, pairs in enumerate(of_each)]
# `read_foreign` makes inert objects of what it does not know, and a pipe is no checkpoint.
INERT = [command, command_of_old, chain, with_state, swelling, large_scalar, large_array, doubling]
SILENT = {(make, read_foreign) for make in [*INERT, meta, sparse, quantized]} | {(pipe, resumed)}


def read_apart(make: Callable, reader: Callable, path: Path, canary: Path, answer: object) -> None:
    """In a process of its own: sends a reader's error, or "", and whether the file ran code."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            reader(path)
            said = ""
        except UserError as error:
            said = str(error)
        except BaseException as error:
            said = f"RAISED {type(error).__name__}: {error}"
    shown = [each for each in warned if issubclass(each.category, UserWarning | FutureWarning)]
    said = f"RAISED {shown[0].message}" if shown else said
    answer.send((said, canary.exists()))


@needs_linux
@pytest.mark.parametrize(
    "make, reader, ending", CASES, ids=lambda part: getattr(part, "__name__", part)
)
def test_a_file_made_to_do_harm_does_none(make, reader, ending, tmp_path) -> None:
    path, canary = tmp_path / f"iter_1{ending}", tmp_path / "canary"
    apart(make, path, canary)
    mine, theirs = get_context("fork").Pipe()
    took, seconds = measured(read_apart, make, reader, path, canary, theirs)
    assert took < LIMIT and seconds < SECONDS
    said, ran_code = mine.recv() if mine.poll() else ("RAISED nothing came", False)
    assert not ran_code and not canary.exists()
    assert not said.startswith("RAISED"), said
    assert "\n" not in said
    assert bool(said) == ((make, reader) not in SILENT)
    assert ("unpack to" in said) == (make in (bomb, expanded, shared))
