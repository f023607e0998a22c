"""Shipped configs start from shipped weights that fit, or name the parts to load."""

from copy import deepcopy
from pathlib import Path

import pytest
from mmengine.registry import MODELS

from l2rkit.config import load_config
from l2rkit.engine.runner import parts_of, weights_at
from l2rkit.io.weights import starting_state

ROOT = Path(__file__).parents[2]
STARTS = {  # and the parts that begin anew
    "configs/unsup3d/unsup3d_heads2_degraded.py": "",
    "configs/unsup3d/unsup3d_openfaces_keypoints.py": "",
    "configs/l2r_ablations/heads2_full.py": "refine",
}


@pytest.mark.parametrize("path", STARTS)
def test_what_is_shipped_fits(path: str) -> None:
    cfg = load_config(ROOT / path)
    model = MODELS.build(deepcopy(cfg.model))
    state, said = starting_state(model, weights_at(cfg.load_from), parts_of(cfg))
    assert state.keys() == model.state_dict().keys()
    anew = f"newly initialized: {STARTS[path]} (" if STARTS[path] else ""
    assert anew in said and bool(said) == bool(anew)
