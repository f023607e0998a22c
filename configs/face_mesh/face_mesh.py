"""The keypoint baseline: view and shape from FaceMesh, the photo as albedo. Nothing is trained."""

from mmengine.config import read_base
from mmengine.runner import TestLoop

from l2rkit.decompose import FaceMeshDecomposer
from l2rkit.model import FaceReconstructor
from l2rkit.render import GridRenderer

with read_base():
    from .._base_.default_runtime import *
    from .._base_.protocols.people import *

model = dict(
    type=FaceReconstructor,
    decompose=dict(type=FaceMeshDecomposer, image_size=128),
    render=dict(type=GridRenderer, size=128),
)
test_cfg = dict(type=TestLoop)
