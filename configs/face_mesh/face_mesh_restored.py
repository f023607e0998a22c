"""The keypoint baseline behind `FaceRestorer`: the default for photos, since it keeps the person.

By the protocol of people it is the best that there is here: model-zoo.md.
"""

from mmengine.config import read_base

from l2rkit.restore import FaceRestorer

with read_base():
    from .face_mesh import *

model["restore"] = dict(type=FaceRestorer)
