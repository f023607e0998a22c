"""Families of files made to do harm: each is a name, the ending of its file and its content.

`spoiled` are sound files of each known format with bytes changed; the others are made on purpose.
"""

import gzip
import io
import json
import lzma
import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import safetensors.torch
import torch
from PIL import Image

Made = tuple[str, str, bytes]  # name, ending, content
HUGE = 2**40
PROTOCOL = b"\x80\x02"


class Calls:
    """A pickle of it calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.called = function, arguments

    def __reduce__(self) -> tuple:
        return self.called


class Stored:
    """A pickle of it asks torch for a storage."""

    def __init__(self, *about: Any) -> None:
        self.about = about


class Storing(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        return value.about if isinstance(value, Stored) else None


def tensor(size: Any = (2,), offset: Any = 0, stride: Any = (1,), **storage: Any) -> Calls:
    about = dict(kind=torch.FloatStorage, key="0", place="cpu", count=2) | storage
    stored = Stored("storage", *about.values())
    rebuild = torch._utils._rebuild_tensor_v2
    return Calls(rebuild, stored, offset, size, stride, False, OrderedDict())


def pickled(content: Any) -> bytes:
    Storing(file := io.BytesIO(), 2).dump(content)
    return file.getvalue()


def zipped(parts: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w", how) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def torch_zip(program: bytes, how: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
    parts = {"data.pkl": program, "version": b"3\n", "data/0": bytes(8)} | more
    return zipped({f"archive/{name}": content for name, content in parts.items()}, how)


def of_torch(state: Any, old: bool = False) -> bytes:
    torch.save(state, file := io.BytesIO(), _use_new_zipfile_serialization=not old)
    return file.getvalue()


def picture(kind: str, mode: str = "RGB", side: int = 24, **how: Any) -> bytes:
    grey = (np.arange(side * side) * 7 % 251).astype(np.uint8).reshape(side, side)
    Image.fromarray(grey).convert(mode).save(file := io.BytesIO(), kind, **how)
    return file.getvalue()


def arrays(packed: bool = False) -> bytes:
    save = np.savez_compressed if packed else np.savez
    save(file := io.BytesIO(), a=np.arange(6.0), b=np.zeros((2, 3)))
    return file.getvalue()


def array(values: Any = (1.0, 2.0)) -> bytes:
    np.save(file := io.BytesIO(), np.asarray(values))
    return file.getvalue()


MANIFEST = b"path,source,person,split\na.jpg,london,one,train\nb.jpg,faker,two,val\n"
ENTRY = dict(config="a", weights_sha256=None, protocol="p", level="clean", restore="none")
ENTRY |= dict(seed=0, n=2, metrics={"side": {"mean": 1.5, "std": 0.5}})


def sound() -> dict[str, tuple[str, bytes]]:
    """A small sound file of each format, and its ending, by name."""
    state = {"a.weight": torch.ones(3, 4), "a.bias": torch.zeros(3)}
    found = {
        "checkpoint": (".pth", of_torch(dict(state_dict=state, meta=dict(iter=1)))),
        "state": (".pth", of_torch(state)),
        "old": (".pth", of_torch(state, old=True)),
        "safetensors": (".safetensors", safetensors.torch.save(state)),
        "npz": (".npz", arrays()),
        "packed npz": (".npz", arrays(packed=True)),
        "npy": (".npy", array()),
        "results": (".json", json.dumps([ENTRY]).encode()),
        "manifest": (".csv", MANIFEST),
        "packed manifest": (".csv.gz", gzip.compress(MANIFEST)),
    }
    kinds = dict(JPEG=".jpg", PNG=".png", WEBP=".webp", GIF=".gif", BMP=".bmp", PPM=".ppm")
    kinds |= dict(JPEG2000=".jp2", AVIF=".avif", TIFF=".tif")
    Image.init()
    for kind, ending in kinds.items():
        if kind in Image.SAVE:
            found[kind] = ending, picture(kind)
    found["progressive"] = ".jpg", picture("JPEG", progressive=True)
    found["palette"] = ".png", picture("PNG", "P")
    found["deflated"] = ".tif", picture("TIFF", "RGBA", compression="tiff_deflate")
    return found


def spoiled() -> Iterator[Made]:
    """Sound files cut off, doubled, and with bits and numbers changed."""
    for number, (name, (ending, whole)) in enumerate(sound().items()):
        rng, size = np.random.default_rng(number), len(whole)
        for share in (0.25, 0.5, 0.75):
            yield f"{name}, {share:.0%} of it", ending, whole[: int(share * size)]
        yield f"{name}, all but a byte", ending, whole[:-1]
        yield f"{name}, twice", ending, whole * 2
        yield (
            f"{name}, zeros within",
            ending,
            whole[: size // 3] + bytes(size // 3) + whole[2 * (size // 3) :],
        )
        for draw in range(4):
            content = bytearray(whole)
            for at in rng.integers(size, size=8):
                content[at] ^= 1 << int(rng.integers(8))
            yield f"{name}, bits {draw}", ending, bytes(content)
        for draw in range(4):
            at = int(rng.integers(min(size - 4, 400)))
            many = whole[:at] + b"\xff\xff\xff\x7f" + whole[at + 4 :]
            yield f"{name}, number {draw}", ending, many


def programs() -> Iterator[Made]:
    """Pickles of opcodes, as files of their own and as the program of a checkpoint."""
    twice = b"]q\0" + b"".join(b"]q%c(h%ch%ce" % (n, n - 1, n - 1) for n in range(1, 60))
    listed = {
        "lists in lists": b"]" * 100_000 + b"a" * 99_999,
        "tuples in tuples": b")" + b"\x85" * 100_000,
        "lists twice, 60 deep": twice,
        "a list in itself": b"]q\0h\0a",
        "a dict in itself": b"}q\0X\1\0\0\0ah\0s",
        "a text of 2^40": b"\x8d" + struct.pack("<Q", HUGE) + b"a",
        "bytes of 2^62": b"\x8e" + struct.pack("<Q", 2**62) + b"a",
        "bytes of 2^31": b"B" + struct.pack("<I", 2**31 - 1) + b"a",
        "an array of 2^40": b"\x96" + struct.pack("<Q", HUGE) + b"a",
        "a number of 2^30 bytes": b"\x8b" + struct.pack("<i", 2**30) + b"a",
        "a number of -1 bytes": b"\x8b" + struct.pack("<i", -1),
        "a number of a million digits": b"I" + b"9" * 10**6 + b"\n",
        "a frame of 2^60": b"\x95" + struct.pack("<Q", 2**60) + b"]",
        "a memo that is not there": b"h\7",
        "nothing on the stack": b"0",
        "no mark": b"t",
        "an extension": b"\x82\1",
        "a name of a million": b"cos\n" + b"a" * 10**6 + b"\n",
        "an instance": b"(ios\nsystem\n",
        "a call": b"cos\nsystem\n(X\1\0\0\0:tR",
        "a stored call": b"X\2\0\0\0osX\6\0\0\0system\x93(X\1\0\0\0:tR",
        "a storage of a number": b"K\1Q",
        "a state of a number": b"K\1}b",
        "another protocol": b"\x80\xc8]",
    }
    for name, program in listed.items():
        yield f"{name}, alone", ".pth", PROTOCOL + program + b"."
        yield f"{name}, in a zip", ".pth", torch_zip(PROTOCOL + program + b".")
        yield f"{name}, of a network", ".pkl", PROTOCOL + program + b"."


def tensors() -> Iterator[Made]:
    """Checkpoints whose tensors are not what their storages hold."""
    many: dict[str, Any] = {
        "a view beyond": dict(offset=10**9),
        "a view before": dict(offset=-1),
        "a view of 2^40": dict(size=(HUGE,), stride=(0,)),
        "a stride of 2^62": dict(stride=(2**62,)),
        "a stride of -1": dict(stride=(-1,)),
        "a size of -1": dict(size=(-1,)),
        "a size of text": dict(size="ab"),
        "a thousand axes": dict(size=(1,) * 1000, stride=(1,) * 1000),
        "a storage of 2^40": dict(count=HUGE),
        "a storage of -1": dict(count=-1),
        "a storage elsewhere": dict(place="cuda:99"),
        "a storage nowhere": dict(place="meta"),
        "a storage above": dict(key="../../../../etc/passwd"),
        "a storage that is not there": dict(key="7"),
        "a storage of no kind": dict(kind=OrderedDict),
    }
    for name, change in many.items():
        yield name, ".pth", torch_zip(pickled({"a": tensor(**change)}))


def archives() -> Iterator[Made]:
    """Zips in zips, of many parts, packed, and with others' names and sizes."""
    good = pickled({"a": tensor()})
    whole = torch_zip(good)
    inner = whole
    for depth in range(1, 4):
        inner = zipped({f"archive/{name}": inner for name in ("data.pkl", "version", "data/0")})
        yield f"zips in zips, {depth} deep", ".pth", inner
    yield (
        "a zip of 20,000 parts",
        ".pth",
        torch_zip(good, **{f"data/{n}": b"" for n in range(1, 20_000)}),
    )
    for name, how in (("deflate", zipfile.ZIP_DEFLATED), ("LZMA", zipfile.ZIP_LZMA)):
        swollen = torch_zip(good, how, **{"data/1": bytes(2**26)})
        yield f"64 MB of zeros by {name}", ".pth", swollen
    at = whole.index(b"PK\1\2")
    for size in (2**31, 2**32 - 1):
        lie = whole[: at + 20] + struct.pack("<II", size, size) + whole[at + 28 :]
        yield f"a part of {size} bytes", ".pth", lie
    yield "a part that is locked", ".pth", whole[: at + 8] + b"\1\0" + whole[at + 10 :]
    yield "a version of 10^12", ".pth", torch_zip(good, version=b"1000000000000\n")
    yield "a program of TorchScript", ".pth", torch_zip(good, **{"constants.pkl": good})
    yield "a manifest of 1 GB", ".csv.gz", gzip.compress(bytes(2**20)) * 1024
    yield "a manifest in LZMA", ".csv.gz", lzma.compress(bytes(2**20))
    for name, count in (("npz of 2 GB", 2**31), ("npz of 8 GB", 2**33)):
        begin = array(np.zeros(1, np.uint8)).replace(b"(1,)", b"(%d,)" % count)
        begin = begin[:-1].replace(b" " * (len(str(count)) - 1) + b"\n", b"\n")
        yield name, ".npz", deflated("a.npy", begin, count)


def deflated(name: str, begin: bytes, zeros: int) -> bytes:
    """A zip of one part: `begin`, and then so many zeros, packed without ever being there."""
    packer, block = zlib.compressobj(1, zlib.DEFLATED, -15), bytes(2**20)
    packed = packer.compress(begin) + packer.flush(zlib.Z_FULL_FLUSH)
    one = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    packed += one * (zeros // len(block)) + packer.flush()
    size = struct.pack("<QQ", len(begin) + zeros, len(packed))
    extra = struct.pack("<HH", 1, 16) + size
    fixed = struct.pack("<HHHHHIIIHH", 45, 0, 8, 0, 0, 0, *[2**32 - 1] * 2, len(name), len(extra))
    local = b"PK\3\4" + fixed + name.encode() + extra
    central = b"PK\1\2\x2d\0" + fixed + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode() + extra
    where = len(local) + len(packed)
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), where, 0)
    return local + packed + central + end


def headers() -> Iterator[Made]:
    """Headers of safetensors and of NumPy's arrays that say too much."""
    part = dict(dtype="F32", shape=[2], data_offsets=[0, 8])
    tables: dict[str, Any] = {
        "an unknown kind": {"a": part | dict(dtype="F99")},
        "2^32 x 2^32": {"a": part | dict(shape=[2**32, 2**32])},
        "offsets that turn back": {"a": part | dict(data_offsets=[8, 0])},
        "offsets of 2^64": {"a": part | dict(data_offsets=[0, 2**64])},
        "a gap": {"a": part | dict(data_offsets=[4, 12])},
        "a name of a million": {"a" * 10**6: part},
        "20,000 empty ones": {
            str(n): dict(dtype="F32", shape=[0], data_offsets=[0, 0]) for n in range(20_000)
        },
        "notes of numbers": {"__metadata__": {"a": 1}, "a": part},
        "no table": [part],
        "a shape of text": {"a": part | dict(shape="2")},
    }
    texts = {name: json.dumps(table).encode() for name, table in tables.items()}
    texts["lists, 50,000 deep"] = b"[" * 50_000
    texts["no UTF-8"] = b'{"\xff\xfe": 1}'
    texts["a name twice"] = b'{"a":%b,"a":%b}' % ((json.dumps(part).encode(),) * 2)
    for name, text in texts.items():
        yield name, ".safetensors", struct.pack("<Q", len(text)) + text + bytes(8)
    for length in (0, 1, 2**20, 2**63, 2**64 - 1):
        yield f"a table of {length} bytes", ".safetensors", struct.pack("<Q", length) + b"{}"
    said = "{'descr': %s, 'fortran_order': False, 'shape': %s, }"
    heads = {
        "2^40 numbers": said % ("'<f8'", "(1099511627776,)"),
        "-1 numbers": said % ("'<f8'", "(-1,)"),
        "10,000 axes": said % ("'<f8'", "(" + "1," * 10_000 + ")"),
        "objects": said % ("'|O'", "(1,)"),
        "2 GB a number": said % ("'|V2147483647'", "(4,)"),
        "kinds in kinds": said % ("[('a', " * 200 + "'<f8'" + ")]" * 200, "(1,)"),
        "brackets": "(" * 60_000,
        "minus signs": "-" * 60_000 + "1",
        "a call": "__import__('os').system(':')",
        "no table": "[]",
    }
    for name, text in heads.items():
        head = text.encode() + b"\n"
        yield name, ".npy", b"\x93NUMPY\2\0" + struct.pack("<I", len(head)) + head + bytes(64)
    yield "a header of 2^31", ".npy", b"\x93NUMPY\2\0" + struct.pack("<I", 2**31) + b"{}"


def texts() -> Iterator[Made]:
    """JSON and tables that are deep, wide or none."""
    yield "lists, 100,000 deep", ".json", b"[" * 100_000 + b"]" * 100_000
    yield "dicts, 100,000 deep", ".json", b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    yield "a number of a million digits", ".json", b"[" + b"9" * 10**6 + b"]"
    yield "a power of 10^9", ".json", b"[1e999999999]"
    yield "half a sign", ".json", b'["\\ud800"]'
    yield "no UTF-8", ".json", b'["\xff"]'
    strange = json.dumps([ENTRY | dict(n=1e308, seed=[[]], metrics={"side": {"mean": "a"}})])
    yield "an entry of other kinds", ".json", strange.encode()
    yield "100,000 columns", ".csv", b"path" + b",a" * 100_000 + b"\nb.jpg\n"
    yield "a cell of 2 MB", ".csv", MANIFEST + b"a" * 2**21
    yield "zero bytes", ".csv", MANIFEST + bytes(1000)
    yield "a quote that does not end", ".csv", MANIFEST + b'"' + b"a\n" * 100_000


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pictures() -> Iterator[Made]:
    """Pictures that take long, or are none."""
    png = picture("PNG")
    packed = zlib.compress(bytes(2**26), 9)
    for name, more in {
        "100,000 notes": chunk(b"tEXt", b"a\0b") * 100_000,
        "a note of 64 MB": chunk(b"zTXt", b"a\0\0" + packed),
        "20 notes of 64 MB": chunk(b"zTXt", b"a\0\0" + packed) * 20,
        "a profile of 64 MB": chunk(b"iCCP", b"a\0\0" + packed),
        "Exif of 2^31": chunk(b"eXIf", b"II*\0\xff\xff\xff\x7f"),
        "no palette": chunk(b"tRNS", bytes(256)),
    }.items():
        yield name, ".png", png[:33] + more + png[33:]
    yield "more pixels than it says", ".png", png[:33] + chunk(b"IDAT", packed) + png[-12:]
    for scans in (40, 400, 4000):
        yield f"a JPEG of {scans} scans", ".jpg", scanned(scans)
    if "JPEG2000" in Image.SAVE:
        tiny = picture("JPEG2000", "L", 128, tile_size=(1, 1))
        yield "tiles of a pixel", ".jp2", tiny
    frame = picture("GIF")
    yield "10,000 frames", ".gif", frame[:-1] + frame[frame.index(b",") : -1] * 10_000 + b";"
    tif = bytearray(picture("TIFF"))
    at = struct.unpack("<I", tif[4:8])[0]
    count = struct.unpack("<H", tif[at : at + 2])[0]
    tif[at + 2 + 12 * count : at + 6 + 12 * count] = tif[4:8]
    yield "a TIFF whose pages go round", ".tif", bytes(tif)
    tif[at : at + 2] = b"\xff\xff"
    yield "a TIFF of 65,535 tags", ".tif", bytes(tif)
    yield "numbers as text", ".ppm", b"P3 5000 5000 255\n" + b"1 " * 1000
    yield "a grey of 8 x 10^6", ".ppm", b"P5 8 1000000 255\n" + bytes(8 * 10**6)
    yield "a grey of 10^9 x 8", ".ppm", b"P5 1000000000 8 255\n"
    yield "PostScript", ".jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\nloop\n"
    yield "PDF", ".jpg", b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\n"
    yield "SVG", ".png", b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def scanned(count: int) -> bytes:
    """A progressive JPEG of 64 megapixels that says its last scan so many times more."""
    Image.new("L", (8000, 8000), 120).save(file := io.BytesIO(), "JPEG", progressive=True)
    whole = file.getvalue()
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * count + whole[-2:]


FAMILIES = (spoiled, programs, tensors, archives, headers, texts, pictures)
