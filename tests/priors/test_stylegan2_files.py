"""Checkpoints of other projects give the published images; other files are refused."""

import os
import pickle
from collections import OrderedDict
from contextlib import suppress
from io import BytesIO

import pytest
import torch
from layouts import mmlab, nvidia, write_pickle
from published_stylegan2 import CHANNELS, LATENT, forward, mapped, tiny

from l2rkit.errors import WeightsError
from l2rkit.io.weights import write_weights
from l2rkit.priors import StyleGAN2

MEAN = torch.linspace(-1, 1, LATENT)


def community(path, state, **more):
    torch.save({"g": {}, "g_ema": state, "latent_avg": MEAN, **more}, path)


def mmagic(path, state, prefix="generator_ema.module."):
    named = {prefix + key: value for key, value in {**mmlab(state), "w_avg": MEAN}.items()}
    others = {"discriminator.convs.0.0.weight": torch.ones(1)}
    if "module" in prefix:  # as MMEngine averages weights
        others["generator_ema.steps"] = torch.ones(1)
    torch.save({"state_dict": {**named, **others}, "meta": {"epoch": 1}}, path)


def ours(path, state):
    community(path.with_suffix(".made"), state)
    write_weights(StyleGAN2(str(path.with_suffix(".made"))).state_dict(), path)


LAYOUTS = {
    "ffhq.pt": community,
    "bare.pt": lambda path, state: torch.save({**state, "w_avg": MEAN}, path),
    "ffhq.pkl": lambda path, state: write_pickle(path, nvidia(state, MEAN), D=None),
    "mmagic.pth": mmagic,
    "mmgen.pth": lambda path, state: mmagic(path, state, "generator_ema."),
    "trained.pth": lambda path, state: mmagic(path, state, "generator."),
    "ours.safetensors": ours,
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_layout_gives_the_published_image(tmp_path, name):
    state = tiny()
    LAYOUTS[name](tmp_path / name, state)
    got = StyleGAN2(str(tmp_path / name), size=32)
    assert (got.size, got.latent, len(got.mapping)) == (32, LATENT, 3)
    z = torch.randn(2, LATENT, generator=torch.Generator().manual_seed(0))
    w = MEAN + 0.6 * (mapped(state, z) - MEAN)
    image, _ = forward(state, w[:, None].expand(-1, 8, -1))
    image = (image + 1) / 2
    torch.testing.assert_close(got(z, truncation=0.6, clamp=False)[0], image, atol=1e-5, rtol=1e-5)


def test_a_file_without_noise_or_mean_does(tmp_path):
    state = {k: v for k, v in tiny().items() if not k.startswith("noises.")}
    torch.save({"g_ema": state}, tmp_path / "old.pt")
    got = StyleGAN2(str(tmp_path / "old.pt"))
    z = torch.randn(4096, LATENT, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(got.mean_w, mapped(state, z).mean(0), atol=1e-5, rtol=1e-4)
    image, _ = forward(state, got.mapping(z[:2])[:, None].expand(-1, 8, -1), noise=False)
    got = got(z[:2], noise="none", clamp=False)[0]
    torch.testing.assert_close(got, (image + 1) / 2, atol=1e-5, rtol=1e-5)


class Payload:
    """Would make a file if its pickle were obeyed; `within` hides it in another call."""

    def __init__(self, path, within=None):
        self.command, self.within = f"touch {path}", within

    def __reduce__(self):
        if self.within is None:
            return os.system, (self.command,)
        return self.within, (Payload(self.command.removeprefix("touch ")),)


class Storage:
    """A tensor's storage, whose file within the file is `content`."""

    def __init__(self, content):
        self.content = content

    def __reduce__(self):
        return torch.storage._load_from_bytes, (self.content,)


def saved(value):
    torch.save(value, buffer := BytesIO())
    return buffer.getvalue()


PAYLOADS = {
    "plain": lambda trap: Payload(trap),
    "in a call": lambda trap: Payload(trap, within=OrderedDict),
    "in a set": lambda trap: Payload(trap, within=set),
    "in a list in a dict": lambda trap: {"a": [Payload(trap)]},
    "in a tensor": lambda trap: Storage(saved(Payload(trap))),
    "in a tensor's call": lambda trap: Storage(saved(Payload(trap, within=OrderedDict))),
}


@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_payload_is_refused_by_name_and_does_not_run(tmp_path, kind):
    trap, path = tmp_path / "trap", tmp_path / "evil.pkl"
    payload = PAYLOADS[kind](trap)
    write_pickle(path, nvidia(tiny(), MEAN), extra=payload)
    with pytest.raises(
        WeightsError, match=r"evil\.pkl was refused: .* names posix\.system"
    ) as caught:
        StyleGAN2(str(path))
    assert not trap.exists() and "\n" not in str(caught.value)
    with suppress(Exception):  # plain unpickling does run it: the trap is one
        pickle.loads(pickle.dumps(payload))
    assert trap.exists()


def test_what_is_no_storage_or_no_program_is_refused(tmp_path):
    script = torch.jit.script(torch.nn.Identity())
    torch.jit.save(script, buffer := BytesIO())
    for content in (b"", b"some", saved(torch.ones(1)), buffer.getvalue()):
        write_pickle(tmp_path / "a.pkl", nvidia(tiny(), MEAN), extra=Storage(content))
        with pytest.raises(WeightsError, match="refused: a tensor in it is no storage"):
            StyleGAN2(str(tmp_path / "a.pkl"))


@pytest.mark.parametrize(
    "change, text",
    [
        (lambda s: s.pop("mapping.fc1.bias"), "lacks 'mapping.1.bias'"),
        (lambda s: s.pop("synthesis.b16.conv1.weight"), "lacks 'blocks.16.conv.weight'"),
        (lambda s: s.pop("synthesis.b4.torgb.weight"), "without skip connections"),
        (lambda s: s.update({"mapping.embed.weight": MEAN}), "a generator of labels"),
        (lambda s: s.update({"synthesis.input.weight": MEAN}), "holds a StyleGAN3, not"),
        (lambda s: s.update({"synthesis.b64.conv0.bias": MEAN}), "lacks 'blocks.64.conv.weight'"),
        (lambda s: s.update({"synthesis.b128.conv1.weight": MEAN}), r"sizes \[4, 8, 16, 32, 128\]"),
        (lambda s: s.update({"synthesis.b4.conv1.bias": MEAN}), r"'blocks.4.conv.bias' is \(8,\)"),
        (
            lambda s: s.update({"synthesis.b8.conv0.resample_filter": torch.ones(4, 4)}),
            r"other\.pkl: '.*' is another low-pass filter",
        ),
    ],
)
def test_another_network_is_named(tmp_path, change, text):
    tensors = nvidia(tiny(), MEAN)
    change(tensors)
    write_pickle(tmp_path / "other.pkl", tensors)
    with pytest.raises(WeightsError, match=text) as caught:
        StyleGAN2(str(tmp_path / "other.pkl"))
    assert "\n" not in str(caught.value)


def test_wrong_sizes_and_wrong_files_are_named(tmp_path):
    small = tiny({4: 4, 8: 4, 16: 3, 32: 2, 64: 2})
    community(tmp_path / "64.pt", small)
    with pytest.raises(WeightsError, match=r"64\.pt holds a generator of 64 px, not 32$"):
        StyleGAN2(str(tmp_path / "64.pt"), size=32)
    for content in ({"params": {"conv_first.weight": MEAN}}, {"state_dict": MEAN}, MEAN):
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(WeightsError, match=r"other\.pth holds no StyleGAN2 generator"):
            StyleGAN2(str(tmp_path / "other.pth"))
    (tmp_path / "dict.pkl").write_bytes(pickle.dumps({"G": 1}))
    with pytest.raises(WeightsError, match="it has no 'G_ema'"):
        StyleGAN2(str(tmp_path / "dict.pkl"))
    (tmp_path / "number.pkl").write_bytes(pickle.dumps({"G_ema": 1}))
    with pytest.raises(WeightsError, match="the pickle holds no network"):
        StyleGAN2(str(tmp_path / "number.pkl"))
    with pytest.raises(WeightsError, match="no weights at"):
        StyleGAN2(str(tmp_path / "absent.pkl"))


@pytest.mark.parametrize("name", ["ffhq.pt", "ffhq.pkl", "ours.safetensors"])
@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path, name, kept):
    path = tmp_path / name
    LAYOUTS[name](path, tiny())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(WeightsError, match=name) as caught:
        StyleGAN2(str(path))
    assert "\n" not in str(caught.value)


def test_channels_are_read_from_the_file(tmp_path):
    community(tmp_path / "a.pt", tiny())
    blocks = StyleGAN2(str(tmp_path / "a.pt")).blocks
    assert {int(k): len(b.conv.weight) for k, b in blocks.items()} == CHANNELS
