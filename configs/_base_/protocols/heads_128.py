"""Synthetic heads for methods that give faces of 128 px: see `datasets/heads_128.py`."""

from mmengine.config import read_base

with read_base():
    from ..datasets.heads_128 import *
