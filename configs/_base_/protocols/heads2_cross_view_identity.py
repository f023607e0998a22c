"""Cross-view on heads of version 2, with identity: renderings in other photos' views, at 128 px.

    python tools/test.py CONFIG --protocol heads2_cross_view_identity

Identity is measured by `FaceRes`, by which nothing was trained.
"""

from mmengine.config import read_base

from l2rkit.identity import FaceRes
from l2rkit.metrics import RenderErrors
from l2rkit.render import GridRenderer

with read_base():
    from .heads2_cross_view import *

protocol = "cross-view with identity, heads 2, 128 px"
model = dict(render=dict(size=128))
identity = dict(type=FaceRes)
test_dataloader["dataset"].update(image_size=128)
test_evaluator = [
    dict(type=RenderErrors, identity=identity),
    dict(type=CrossViewRenderErrors, identity=identity, render=dict(type=GridRenderer, size=128)),
]
