"""Synthetic heads of version 2: see `datasets/heads2.py`."""

from mmengine.config import read_base

with read_base():
    from ..datasets.heads2 import *

model = dict(render=dict(size=64))  # also for methods whose faces are larger
