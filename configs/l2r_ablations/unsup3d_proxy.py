"""L2R that begins with Unsup3D on bad photos in place of LAP."""

from mmengine.config import read_base

from l2rkit.decompose import Unsup3DDecomposer

with read_base():
    from .full import *

load_from = "zoo://unsup3d_heads_degraded"
model["decompose"] = dict(type=Unsup3DDecomposer, image_size=64, width=16, encoder_width=16)
