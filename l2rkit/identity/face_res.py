"""HSE-FaceRes, the judge of identity, for metrics only."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ..io.weights import load_into, read_weights
from ..registry import MODELS
from ..zoo import weight_file
from .codes import centred, resized_crops

SIZE = 224  # px of a face
AT_ONCE = 4  # photos; the features of more do not fit the cache and take 1.6 times as long
MEAN = (123.68, 116.779, 103.939)  # of 255: red, green, blue
# Channels and stride of MobileNet's blocks, each a depthwise and a pointwise convolution.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)
CODE = BLOCKS[-1][0]


@MODELS.register_module()
class FaceRes(nn.Module):
    """(B, 1024) codes of unit length of aligned crops (B, 3, S, S), RGB in [0, 1]. THE JUDGE.

    For metrics only: no training, model selection or early stopping uses it. Passes no gradient.
    Crops are those of `l2rkit.data.align`. Codes are `normalize(normalize(raw) - mean_code)`.
    Cosines of 102 people, a neutral photo against a smiling one, clean or degraded
    (`tools/analysis/identity_pairs.py`):

        second photo    AUC     one person   impostors
        clean           1.000   0.883        0.137
        severe          0.986   0.354        0.068

    All photos are of one studio, unlike the training photos, so impostors are not at 0. With 8-bit
    weights the cosine to the code of the 16-bit weights is 0.997 (mean over 96 photos). A face
    takes 16 ms of one core in float32. In bfloat16 it takes 8 ms, but that cosine is 0.990, so the
    network runs in float32.

    The network is the MobileNet (Howard et al., 2017) of Savchenko's HSE-FaceRes (2019), up to the
    mean over pixels. `tools/model_converters/face_res.py` makes the file and the mean code.

    Args:
        weights: name of a shipped file or a path; None is random initialization.
    """

    def __init__(self, weights: str | None = "face_res") -> None:
        super().__init__()
        layers, width = [SameConv2d(3, 32, stride=2), nn.ReLU6(inplace=True)], 32
        for channels, stride in BLOCKS:
            layers += [SameConv2d(width, width, stride, groups=width), nn.ReLU6(inplace=True)]
            layers += [nn.Conv2d(width, channels, 1), nn.ReLU6(inplace=True)]
            width = channels
        self.layers = nn.Sequential(*layers)
        self.register_buffer("mean_code", torch.zeros(CODE))
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None] / 255, persistent=False)
        if weights is not None:
            path = weight_file(weights)
            load_into(self, read_weights(path), str(path))
        self.requires_grad_(False).to(memory_format=torch.channels_last)

    @torch.no_grad()
    def forward(self, photo: Tensor) -> Tensor:
        return centred(self.raw(photo), self.mean_code)

    @torch.no_grad()
    def raw(self, photo: Tensor) -> Tensor:
        """(B, 1024): HSE-FaceRes's codes, neither centred nor of unit length."""
        return torch.cat([self._some(part) for part in photo.split(AT_ONCE)])

    def _some(self, photo: Tensor) -> Tensor:
        x = resized_crops(photo, SIZE, "FaceRes") - self.mean
        return self.layers(x.contiguous(memory_format=torch.channels_last)).mean((2, 3))


class SameConv2d(nn.Conv2d):
    """A 3 x 3 convolution with the zero padding of TensorFlow's SAME."""

    def __init__(self, cin: int, cout: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(cin, cout, 3, stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (same_padding(n, 3, self.stride[0]) for n in x.shape[2:])
        if rows == columns == (1, 1):
            return nn.functional.conv2d(
                x, self.weight, self.bias, self.stride, 1, groups=self.groups
            )
        return super().forward(pad(x, (*columns, *rows)))


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding before and after `size` px; an odd pixel goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2
