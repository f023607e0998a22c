"""What loaders of all data sets share: `dict(**train_loader, batch_size=64, dataset=...)`."""

from mmengine.dataset import DefaultSampler, default_collate

train_loader = dict(
    num_workers=1,  # a second worker would take time from the networks on two cores
    persistent_workers=True,
    drop_last=True,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=True),
)
test_loader = dict(
    num_workers=0,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
)
