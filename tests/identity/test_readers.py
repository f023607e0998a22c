"""Converted networks equal their source; damaged and foreign files give one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sources
import torch
from click.testing import CliRunner, Result

from l2rkit.errors import WeightsError
from l2rkit.identity import FaceEmbedding, FaceRes
from l2rkit.identity.mean_code import mean_code
from l2rkit.identity.readers import read_face_embedding, read_face_res, write_identity
from tools.model_converters import face_embedding, face_res

KINDS = {
    "embedding": (read_face_embedding, sources.embedding_tensors, False, FaceEmbedding),
    "judge": (read_face_res, sources.res_tensors, True, FaceRes),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_computes_what_the_source_computes(kind: str, tmp_path: Path) -> None:
    read, tensors, graph, part = KINDS[kind]
    found = sources.write(tmp_path / "model.json", tensors(), graph)
    network = read(tmp_path / "model.json")
    size, plain = (
        (150, sources.plain_embedding) if part is FaceEmbedding else (224, sources.plain_res)
    )
    photo = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    expected = plain(found, photo)
    assert (expected[0] - expected[1]).norm() > 1e-3 * expected.norm()  # nothing died
    torch.testing.assert_close(network.raw(photo), expected, rtol=1e-3, atol=1e-4 * expected.max())
    assert network.mean_code.abs().max() == 0
    network.mean_code.fill_(0.25)
    write_identity(network, tmp_path / "ours.safetensors")
    ours = part(str(tmp_path / "ours.safetensors"))
    assert (ours.mean_code == 0.25).all()
    assert torch.cosine_similarity(ours.raw(photo), expected).min() > 0.999
    weights = sum(value.numel() for value in network.state_dict().values())
    assert (tmp_path / "ours.safetensors").stat().st_size < 1.05 * weights


def run(command: Callable, *words: object) -> Result:
    return CliRunner().invoke(command.main, [str(word) for word in words])


def cut(path: Path) -> None:
    file = path.with_name("weights.bin")
    file.write_bytes(file.read_bytes()[:-1])


def long(path: Path) -> None:
    file = path.with_name("weights.bin")
    file.write_bytes(file.read_bytes() + b"\0")


def no_weights(path: Path) -> None:
    path.with_name("weights.bin").unlink()


def no_json(path: Path) -> None:
    path.write_text('{"weightsManifest": [')


def other_json(path: Path) -> None:
    path.write_text('{"weightsManifest": {"a": 3}}')


def list_of_nothing(path: Path) -> None:
    path.write_text("[]")


def missing_tensor(path: Path) -> None:
    path.write_text(path.read_text().replace("conv", "cony"))


@pytest.mark.parametrize(
    "spoil", [cut, long, no_weights, no_json, other_json, list_of_nothing, missing_tensor]
)
@pytest.mark.parametrize("kind", KINDS)
def test_cut_and_foreign_files_are_one_line(kind: str, spoil: Callable, tmp_path: Path) -> None:
    read, _, graph, _ = KINDS[kind]
    tensors = {"conv32_down/conv/filters": np.eye(2, dtype=np.float32)}
    sources.write(tmp_path / "model.json", tensors, graph)
    spoil(tmp_path / "model.json")
    with pytest.raises(WeightsError) as said:
        read(tmp_path / "model.json")
    assert "\n" not in str(said.value)
    result = run(face_embedding if kind == "embedding" else face_res, tmp_path / "model.json")
    assert result.exit_code == 2 and len(result.output.strip().splitlines()) == 1


def test_other_shapes_and_other_clips_are_refused(tmp_path: Path) -> None:
    tensors = sources.res_tensors()
    wide = np.zeros((3, 3, 3, 48), np.float32) + np.eye(3, dtype=np.float32)[..., None, None]
    sources.write(
        tmp_path / "model.json", {**tensors, "conv1/convolution/merged_input": wide}, True
    )
    with pytest.raises(
        WeightsError, match=r"of another network: \(48, 3, 3, 3\) for \(32, 3, 3, 3\)"
    ):
        read_face_res(tmp_path / "model.json")
    sources.write(tmp_path / "model.json", {**tensors, "conv_pw_3_relu/Cast": np.float32(1)}, True)
    with pytest.raises(WeightsError, match="conv_pw_3 is clipped at 1"):
        read_face_res(tmp_path / "model.json")


def test_files_of_a_folder_above_are_not_read(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    sources.write(tmp_path / "model.json", {"a": np.ones(2, np.float32)}, False)
    groups = json.loads((tmp_path / "model.json").read_text())
    groups[0]["paths"] = ["../weights.bin"]
    (inner / "model.json").write_text(json.dumps(groups))
    with pytest.raises(WeightsError, match="no whole weights beside it"):
        read_face_embedding(inner / "model.json")


def test_a_damaged_shipped_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    write_identity(FaceEmbedding(weights=None), path)
    with pytest.raises(WeightsError, match="is of another architecture"):
        FaceRes(str(path))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="is not a complete safetensors file"):
        FaceEmbedding(str(path))


def test_the_mean_code_is_the_mean_of_directions() -> None:
    class Colours(torch.nn.Module):
        def raw(self, photo: torch.Tensor) -> torch.Tensor:
            return photo.mean((2, 3))

    colours = torch.tensor([[3.0, 0, 4], [0, 2, 0], [0, 0.5, 0]])
    photos = colours[:, :, None, None].expand(3, 3, 4, 4)
    expected = torch.tensor([0.6, 2, 0.8]) / 3
    torch.testing.assert_close(mean_code(Colours(), iter(photos.split(2))), expected)
