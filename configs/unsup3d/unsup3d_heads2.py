"""Unsup3D on synthetic heads of version 2: `unsup3d_heads` with other photos. Not trained yet.

Its first two stages are those of version 1, on heads of version 1.
"""

from mmengine.config import read_base

with read_base():
    from .unsup3d_heads import *
    from .._base_.datasets.heads2 import *  # isort: skip

train_dataloader.update(batch_size=32)
