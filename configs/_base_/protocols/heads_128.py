"""Synthetic heads of 128 px: see `datasets/heads_128.py`."""

from mmengine.config import read_base

with read_base():
    from ..datasets.heads_128 import *

model = dict(render=dict(size=128))  # also for methods whose faces are smaller
