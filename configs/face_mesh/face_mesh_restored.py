"""The keypoint baseline after `FaceRestorer`: proxy and baseline of `l2r_openfaces`.

Figures by the protocol `people`: model-zoo.md.
"""

from mmengine.config import read_base

from l2rkit.restore import FaceRestorer

with read_base():
    from .face_mesh import *

model["restore"] = dict(type=FaceRestorer)
