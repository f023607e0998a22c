"""Identity networks: layers against slow loops, gradients, codes, and people among heads."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from l2rkit.data.heads.dataset import make_images
from l2rkit.errors import PartError
from l2rkit.identity import FaceEmbedding, FaceRes
from l2rkit.identity.codes import centred, resized_crops
from l2rkit.identity.face_embedding import DownBlock
from l2rkit.identity.face_res import AT_ONCE, SameConv2d, same_padding
from l2rkit.losses import Identity
from l2rkit.registry import MODELS

NETWORKS = {"FaceEmbedding": 128, "FaceRes": 1024}


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> torch.nn.Module:
    return MODELS.build(dict(type=request.param))


@pytest.fixture(scope="module")
def heads() -> Tensor:
    """(12, 3, 64, 64): two photos each of six invented people, other in view, light and mouth."""
    images = [made["img"] for made in make_images(range(12), 0, "test", 64, each=2)]
    return torch.from_numpy(np.stack(images)).float().movedim(3, 1)


def random_photos(count: int, size: int = 32) -> Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [6, 7])
def test_padding_is_that_of_tensorflow(size: int, stride: int) -> None:
    """Pixel by pixel, as TensorFlow's documentation defines SAME."""
    torch.manual_seed(0)
    conv, photo = SameConv2d(2, 3, stride), torch.rand(1, 2, size, size)
    count = -(-size // stride)
    total = max(3 - stride, 0) if size % stride == 0 else max(3 - size % stride, 0)
    expected = torch.zeros(3, count, count)
    for row in range(count):
        for column in range(count):
            value = conv.bias.clone()
            for i in range(3):
                for j in range(3):
                    y, x = row * stride + i - total // 2, column * stride + j - total // 2
                    if 0 <= y < size and 0 <= x < size:
                        value = value + conv.weight[:, :, i, j] @ photo[0, :, y, x]
            expected[:, row, column] = value
    torch.testing.assert_close(conv(photo)[0], expected)


def test_the_odd_zero_of_padding_comes_after() -> None:
    assert same_padding(224, 3, 2) == (0, 1) and same_padding(7, 3, 2) == (1, 1)
    assert same_padding(14, 3, 1) == (1, 1) and same_padding(8, 1, 2) == (0, 0)


@pytest.mark.parametrize("size", [7, 8])
def test_a_down_block_number_by_number(size: int) -> None:
    """7 px: branch and skip have 3; 8 px: the branch has 3 and the skip 4, so zeros follow."""
    torch.manual_seed(0)
    block, x = DownBlock(2, 3), torch.randn(1, 2, size, size)
    inner = (size - 3) // 2 + 1
    first = torch.zeros(3, inner, inner)
    for row in range(inner):
        for column in range(inner):
            part = x[0, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            first[:, row, column] = (block.conv1.weight * part).sum((1, 2, 3)) + block.conv1.bias
    first = first.clamp(min=0)
    half = size // 2
    expected = torch.zeros(3, half, half)
    for row in range(half):
        for column in range(half):
            corner = x[0, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            expected[:2, row, column] = corner.sum((1, 2)) / 4
            if row < inner and column < inner:
                value = block.conv2.bias.clone()
                for i in range(3):
                    for j in range(3):
                        y, z = row + i - 1, column + j - 1
                        if 0 <= y < inner and 0 <= z < inner:
                            value = value + block.conv2.weight[:, :, i, j] @ first[:, y, z]
                expected[:, row, column] += value
    torch.testing.assert_close(block(x)[0], expected.clamp(min=0))


def test_gradients_reach_the_photo_and_nothing_else(heads: Tensor) -> None:
    network, photo = FaceEmbedding().double(), heads[:1].double()
    aim = network(heads[2:3].double())
    photo.requires_grad_()
    (network(photo) * aim).sum().backward()
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())
    draw = torch.Generator().manual_seed(0)
    for _ in range(3):  # finite differences along a direction; small, for each ReLU is a kink
        way = torch.randn(photo.shape, generator=draw, dtype=torch.float64)
        step, there = 1e-8, photo.detach()
        ahead, back = ((network(there + s * step * way) * aim).sum() for s in (1, -1))
        slope = (ahead - back) / (2 * step)
        assert slope.abs() > 1e-4
        assert (photo.grad * way).sum().item() == pytest.approx(slope.item(), rel=1e-4)


def test_no_gradient_comes_out_of_the_judge() -> None:
    judge, photo = FaceRes(weights=None), random_photos(1).requires_grad_()
    judge.requires_grad_(True)
    for codes in (judge(photo), judge.raw(photo)):
        assert not codes.requires_grad and codes.grad_fn is None


def test_nothing_is_trained_against_the_judge() -> None:
    for judge in (FaceRes(weights=None), dict(type="FaceRes", weights=None)):
        with pytest.raises(PartError, match="nothing is trained against FaceRes, the judge"):
            Identity(judge)
    assert isinstance(Identity(dict(type="FaceEmbedding")).embedding, FaceEmbedding)


def test_codes_are_centred_and_of_unit_length(network: torch.nn.Module, heads: Tensor) -> None:
    codes, raw = network(heads), network.raw(heads)
    assert codes.shape == (12, NETWORKS[type(network).__name__]) and codes.dtype == torch.float32
    torch.testing.assert_close(codes.norm(dim=1), torch.ones(12))
    lengths = raw.square().sum(1, keepdim=True).sqrt()
    moved = raw / lengths - network.mean_code
    torch.testing.assert_close(codes, moved / moved.square().sum(1, keepdim=True).sqrt())
    assert 0.2 < network.mean_code.norm() < 1  # a mean of unit vectors in a cone


def test_centring_by_hand() -> None:
    raw, mean = torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.tensor([0.0, 0.8])
    torch.testing.assert_close(centred(raw, mean), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))


def test_a_photo_in_a_batch_has_the_code_that_it_has_alone(network: torch.nn.Module) -> None:
    photos = random_photos(AT_ONCE + 1)
    codes = network(photos)
    for i in (0, AT_ONCE):
        torch.testing.assert_close(network(photos[i : i + 1]), codes[i : i + 1], atol=1e-4, rtol=0)


def test_two_photos_of_a_head_are_nearer_than_two_heads(
    network: torch.nn.Module, heads: Tensor
) -> None:
    codes = network(heads)
    cosines = codes[::2] @ codes[1::2].T
    own = torch.eye(6, dtype=torch.bool)
    assert cosines[own].mean() > cosines[~own].mean() + 0.1


def test_crops_grow_as_without_antialiasing_and_shrink_with_it() -> None:
    photo = random_photos(1, 128)
    plain = interpolate(photo, size=(150, 150), mode="bilinear", align_corners=False)
    torch.testing.assert_close(resized_crops(photo, 150, ""), plain)
    assert resized_crops(photo, 128, "") is photo
    rows, columns = torch.meshgrid(*[torch.arange(64)] * 2, indexing="ij")
    board = ((rows + columns) % 2).float().expand(1, 3, 64, 64)  # its mean is grey everywhere
    assert (resized_crops(board, 16, "")[..., 1:-1, 1:-1] - 0.5).abs().max() < 0.05


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 3, 8, 9)])
@pytest.mark.parametrize("kind", [FaceEmbedding, FaceRes])
def test_what_is_no_square_crop_is_one_line(kind: type, shape: tuple) -> None:
    with pytest.raises(PartError, match=rf"{kind.__name__} expects crops \(B, 3, S, S\), got \("):
        kind(weights=None)(torch.zeros(shape))


def test_built_parts_and_none_pass_through() -> None:
    assert MODELS.build(None) is None and MODELS.build(random_photos) is random_photos
    dotted = MODELS.build(dict(type="l2rkit.identity.FaceRes", weights=None))
    assert isinstance(dotted, FaceRes)
    with pytest.raises(PartError, match="a part for models needs a 'type'"):
        MODELS.build({})
