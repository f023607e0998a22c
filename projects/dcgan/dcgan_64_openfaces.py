"""DCGAN measured as `configs/priors/stylegan2_64_openfaces.py` is.

With the package installed, from the root of the repository:

    PYTHONPATH=. python tools/test.py projects/dcgan/dcgan_64_openfaces.py
"""

from mmengine.config import read_base

from l2rkit.priors import PriorSampler
from projects.dcgan.prior import DCGAN

with read_base():
    from l2rkit.configs.priors.stylegan2_64_openfaces import *  # noqa: F403

model = dict(type=PriorSampler, prior=dict(type=DCGAN))
custom_hooks = []  # those of the base are for training
