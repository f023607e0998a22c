"""The correlation of depth against its definition and known values."""

import pytest
import torch

from l2rkit.metrics import DepthCorrelation
from l2rkit.metrics.correlation import correlation
from l2rkit.structures import BACKGROUND, Rendering, Scene
from l2rkit.testing import example_face

SIZE = 12


def relief(batch=2):
    """Depths (B, 1, H, W) with a background all round."""
    draw = torch.Generator().manual_seed(0)
    depth = 0.95 + 0.05 * torch.rand(batch, 1, SIZE, SIZE, generator=draw)
    depth[:, :, 0] = depth[..., 0] = BACKGROUND
    return depth


def measured(depth, truth):
    metric, batch = DepthCorrelation(), len(truth)
    picture = torch.ones(batch, 3, SIZE, SIZE)
    own = Rendering(picture, (depth < BACKGROUND).float(), depth)
    metric.process(dict(depth=truth), [Scene(picture, example_face(SIZE, batch), own)])
    return metric.compute_metrics(metric.results), metric.each


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda z: z, 1),
        (lambda z: 0.3 * z + 0.7, 1),  # shallow and elsewhere
        (lambda z: 2 - z, -1),  # inside out
        (lambda z: torch.ones_like(z), 0),  # a wall
    ],
)
def test_known_reliefs(change, expected):
    truth = relief()
    depth = torch.where(truth < BACKGROUND, change(truth), BACKGROUND)
    report, each = measured(depth, truth)
    assert each["correlation"] == pytest.approx([expected, expected], abs=1e-5)
    assert report["correlation"] == pytest.approx(expected, abs=1e-5)
    assert report["correlation_std"] == pytest.approx(0, abs=1e-5)


def test_it_is_pearson_s_over_the_pixels_that_both_cover():
    truth, depth = relief(), relief().flip(0)
    depth[0, 0, 5, 5] = BACKGROUND
    got = measured(depth, truth)[1]["correlation"]
    for i, figure in enumerate(got):
        pairs = []
        for row in range(1, SIZE - 1):
            for column in range(1, SIZE - 1):
                window = (i, 0, slice(row - 1, row + 2), slice(column - 1, column + 2))
                if max(depth[window].max(), truth[window].max()) < BACKGROUND:
                    pairs.append((depth[i, 0, row, column], truth[i, 0, row, column]))
        assert len(pairs) == (81 - 9 if i == 0 else 81)
        slow = torch.corrcoef(torch.tensor(pairs, dtype=torch.float64).T)[0, 1].item()
        assert figure == pytest.approx(slow, abs=1e-5) and abs(figure) < 0.5


def test_what_is_outside_the_mask_does_not_count():
    truth, mask = relief(), torch.zeros(2, 1, SIZE, SIZE)
    mask[..., 3:9, 3:9] = 1
    worse = torch.where(mask > 0, truth, 5.0)
    torch.testing.assert_close(correlation(worse, truth, mask), torch.ones(2))
    assert correlation(truth, truth, 0 * mask).tolist() == [0, 0]
