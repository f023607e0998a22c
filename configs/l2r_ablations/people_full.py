"""L2R for people with few steps, all parts from the first one: the reference of the ablations."""

from mmengine.config import read_base

with read_base():
    from ..l2r.l2r_openfaces import *
    from .._base_.protocols.people import test_dataloader, test_evaluator  # isort: skip  # noqa: F401

load_from = None
protocol = "people, 128 px, ablations of L2R"
model["decompose"]["restore"] = dict(type=FaceRestorer)  # no SelfEnsemble: half the time
model["refine"]["albedo"]["self_ensemble"] = False
average["momentum"] = 0.02  # averages over fewer steps, as there are fewer
custom_hooks = [average, dict(type=ChannelsLast), panels]
optim_wrapper["others"]["paramwise_cfg"] = dict(custom_keys={"refine.geometry": dict(lr_mult=5.0)})
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, begin=0, end=20, by_epoch=False),
    dict(type=CosineAnnealingLR, T_max=150, eta_min=2e-5, begin=0, end=150, by_epoch=False),
]
train_cfg.update(max_iters=150, val_interval=150)
