"""Cross-view with identity: ID similarity of renderings in other photos' views.

    python tools/test.py CONFIG --protocol cross_view_identity

Identity is measured by `FaceRes`, by which nothing was trained.
"""

from mmengine.config import read_base

from l2rkit.identity import FaceRes
from l2rkit.metrics import RenderErrors

with read_base():
    from .cross_view import *

protocol = "cross-view with identity, heads, 64 px"
identity = dict(type=FaceRes)
test_evaluator = [
    dict(type=RenderErrors, identity=identity),
    dict(type=CrossViewRenderErrors, identity=identity),
]
