"""Views that are learnt from those of `unsup3d_heads2_steady`: the teacher, and the optimizer."""

from torch.optim import Adam

from l2rkit.engine import GuardedOptimWrapper

teachers = {
    "configs/unsup3d/unsup3d_heads2_steady.py": "work_dirs/unsup3d_heads2_steady/iter_600.pth"
}
optim_wrapper = dict(
    type=GuardedOptimWrapper,
    optimizer=dict(type=Adam, lr=1e-3),  # supervised, so ten times the usual rate is stable
    clip_grad=dict(max_norm=1.0),
)
