"""A small model, its weights, and heads that are rendered once."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import torch
from mmengine.config import config as mmengine_config
from mmengine.runner import Runner

from l2rkit.config import load_model
from l2rkit.io.weights import write_weights

CONFIG = """
from l2rkit.data import PackPhoto, ResizeFace, SyntheticHeads
from l2rkit.decompose import Unsup3DDecomposer
from l2rkit.metrics import DepthErrors
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer
from mmengine.dataset import DefaultSampler, default_collate
from mmengine.runner import TestLoop

protocol = "heads"
default_scope = None
model = dict(
    type=FaceReconstructor,
    decompose=dict(type=Unsup3DDecomposer, image_size=32, width=4, encoder_width=4),
    render=dict(type=GridRenderer),
)
test_dataloader = dict(
    batch_size=4,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=SyntheticHeads,
        split="test",
        size=8,
        image_size=32,
        root="ROOT",
        fields=("img", "depth"),
        pipeline=[dict(type=ResizeFace, image_size=32), dict(type=PackPhoto)],
    ),
)
test_evaluator = dict(type=DepthErrors)
test_cfg = dict(type=TestLoop)
"""


@pytest.fixture(scope="session")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which heads are kept, for all tests that do not look into it."""
    return tmp_path_factory.mktemp("heads")


@pytest.fixture(scope="session")
def text() -> str:
    """The config, in which ROOT stands for the folder of heads."""
    return CONFIG


@pytest.fixture
def config(tmp_path: Path, text: str, heads: Path) -> Path:
    path = tmp_path / "tiny.py"
    path.write_text(text.replace("ROOT", str(heads)))
    return path


@pytest.fixture
def weights(config: Path, tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    write_weights(load_model(config).state_dict(), path)
    return path


@pytest.fixture(autouse=True, scope="session")
def formatted_once() -> Iterator[None]:
    """A run has the same text of its config formatted some six times, which takes most of it."""
    format_code, known = mmengine_config.FormatCode, {}

    def once(text: str, **style: object) -> tuple[str, bool]:
        if text not in known:
            known[text] = format_code(text, **style)
        return known[text]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmengine_config, "FormatCode", once)
        yield


@pytest.fixture(autouse=True, scope="session")
def named_apart() -> Iterator[None]:
    """MMEngine names a run by config and second; two of one name would write to the first's log."""
    build_logger, numbers = Runner.build_logger, count()

    def build(self: Runner, *args: object, **options: object) -> object:
        self._experiment_name += f"_{next(numbers)}"
        return build_logger(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runner, "build_logger", build)
        yield
