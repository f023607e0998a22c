"""The shipped Unsup3D on dusty photos of heads, with the dust taken away first.

    PYTHONPATH=. python tools/test.py projects/example/unsup3d_heads2_specks.py \\
        l2rkit/zoo/unsup3d_heads2.safetensors
"""

from mmengine.config import read_base

from l2rkit.data import Degrade, FindLandmarks, PackPhoto, ResizeFace
from projects.example.specks import Median, Specks

with read_base():
    from l2rkit.configs.unsup3d.unsup3d_heads2 import *  # noqa: F403

protocol = "heads 2 with specks, 64 px"
model.update(restore=dict(type=Median, side=3))  # noqa: F405
test_dataloader["dataset"]["pipeline"] = [  # noqa: F405
    dict(type=FindLandmarks, cache="data/landmarks"),  # of the clean photo, for errors of the face
    dict(type=ResizeFace, image_size=64),
    dict(type=Degrade, degradation=dict(type=Specks, share=0.03), seed=0),
    dict(type=PackPhoto),
]
