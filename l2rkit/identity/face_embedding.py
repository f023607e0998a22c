"""dlib's face recognition network in torch, for losses."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from ..io.weights import load_into, read_weights
from ..registry import MODELS
from ..zoo import weight_file
from .codes import centred, resized_crops

SIZE = 150  # px of a face
CODE = 128
MEAN = (122.782, 117.001, 104.298)  # of 255: red, green, blue
BLOCKS = ((32, 3), (64, 3), (128, 2), (256, 2))  # channels, residual blocks after the first layer


@MODELS.register_module()
class FaceEmbedding(nn.Module):
    """(B, 128) codes of unit length of aligned crops (B, 3, S, S), RGB in [0, 1]. For losses.

    Crops are those of `l2rkit.data.align`. Gradients reach the photo; weights are frozen. Codes are
    `normalize(normalize(raw) - mean_code)`. Cosines of 102 people, a neutral photo against a
    smiling one, clean or degraded (`tools/analysis/identity_pairs.py`):

        second photo    AUC     one person   impostors
        clean           0.9999  0.926        0.259
        severe          0.960   0.551        0.158

    All photos are of one studio, unlike the training photos, so impostors are not at 0. With 8-bit
    weights the cosine to the code of the original weights is 0.999 (mean over 96 photos).

    The network is Davis King's of dlib 19 (2017), 29 convolutions, trained on about 3 million
    photos. `tools/model_converters/face_embedding.py` makes the file and the mean code.

    Args:
        weights: name of a shipped file or a path; None is random initialization.
    """

    def __init__(self, weights: str | None = "face_embedding") -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 32, 7, stride=2)
        blocks: list[nn.Module] = []
        width = 32
        for channels, repeats in BLOCKS:
            if channels != width:
                blocks.append(DownBlock(width, channels))
            blocks += [ResidualBlock(channels) for _ in range(repeats)]
            width = channels
        self.blocks = nn.Sequential(*blocks, DownBlock(width, width))
        self.code = nn.Linear(width, CODE, bias=False)
        self.register_buffer("mean_code", torch.zeros(CODE))
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None] / 255, persistent=False)
        if weights is not None:
            path = weight_file(weights)
            load_into(self, read_weights(path), str(path))
        self.requires_grad_(False)

    def forward(self, photo: Tensor) -> Tensor:
        return centred(self.raw(photo), self.mean_code)

    def raw(self, photo: Tensor) -> Tensor:
        """(B, 128): dlib's codes, neither centred nor of unit length."""
        x = resized_crops(photo, SIZE, "FaceEmbedding") - self.mean
        x = max_pool2d(self.first(x).relu(), 3, 2)
        return self.code(self.blocks(x).mean((2, 3)))


class ResidualBlock(nn.Module):
    """(B, C, H, W) → (B, C, H, W); scales are folded into the convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return (self.conv2(self.conv1(x).relu()) + x).relu()


class DownBlock(nn.Module):
    """(B, C, H, W) → (B, D, H // 2, W // 2).

    The skip is an average pool, padded with zeros to D channels. The strided convolution has no
    padding; its branch is padded below and on the right to the size of the skip.
    """

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride=2)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        branch, skip = self.conv2(self.conv1(x).relu()), avg_pool2d(x, 2)
        rows, columns = (skip.shape[i] - branch.shape[i] for i in (2, 3))
        channels = branch.shape[1] - skip.shape[1]
        return (pad(branch, (0, columns, 0, rows)) + pad(skip, (0, 0, 0, 0, 0, channels))).relu()
