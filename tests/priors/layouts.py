"""The tiny generator in the file layouts of other projects."""

import pickle
import sys
from collections import OrderedDict
from types import ModuleType

import numpy as np
import torch
from published_stylegan2 import TAPS


def mmlab(state):
    """MMGeneration's and MMagic's names: weights are `weight_orig`, as equalized_lr leaves them."""
    named = {}
    for key, value in state.items():
        if key.startswith("style."):
            _, layer, kind = key.split(".")
            kind = "bias" if kind == "bias" else "linear.weight_orig"
            named[f"style_mapping.{layer}.{kind}"] = value
        elif key == "input.input":
            named["constant_input.input"] = value
        elif key.startswith("noises."):
            named["injected_" + key.removeprefix("noises.")] = value
        elif key.endswith("conv.modulation.weight"):
            base = key.removesuffix("modulation.weight")
            named[f"{base}style_modulation.linear.weight_orig"] = value
        elif key.endswith("conv.modulation.bias"):
            named[key.replace("modulation", "style_modulation")] = value
        elif key.endswith("noise.weight"):
            named[key.replace("noise.weight", "noise_injector.weight")] = value
        elif key.endswith("conv.weight"):
            named[f"{key}_orig"] = value
        else:
            named[key] = value
    return named


def nvidia(state, mean):
    """Names and shapes of stylegan2-ada-pytorch's Generator."""
    named = OrderedDict({"mapping.w_avg": mean, "synthesis.b4.const": state["input.input"][0]})
    for layer in range(1, len([k for k in state if k.startswith("style.")]) // 2 + 1):
        for kind in ("weight", "bias"):
            named[f"mapping.fc{layer - 1}.{kind}"] = state[f"style.{layer}.{kind}"]
    count = len([key for key in state if key.startswith("noises.")])
    places = {"conv1": ("b4.conv1", 0), "to_rgb1": ("b4.torgb", None)}
    for index in range(1, count):
        size = 2 ** ((index + 5) // 2)
        places[f"convs.{index - 1}"] = (f"b{size}.conv{(index + 1) % 2}", index)
        places[f"to_rgbs.{(index - 1) // 2}"] = (f"b{size}.torgb", None)
        named[f"synthesis.b{size}.resample_filter"] = TAPS
    for theirs, (place, noise) in places.items():
        base = f"synthesis.{place}"
        named[f"{base}.weight"] = state[f"{theirs}.conv.weight"][0]
        named[f"{base}.affine.weight"] = state[f"{theirs}.conv.modulation.weight"]
        named[f"{base}.affine.bias"] = state[f"{theirs}.conv.modulation.bias"]
        if noise is None:
            named[f"{base}.bias"] = state[f"{theirs}.bias"].flatten()
            continue
        named[f"{base}.bias"] = state[f"{theirs}.activate.bias"]
        named[f"{base}.noise_strength"] = state[f"{theirs}.noise.weight"][0]
        named[f"{base}.noise_const"] = state[f"noises.noise_{noise}"][0, 0]
        named[f"{base}.resample_filter"] = TAPS
    return named


class Persistent:
    """Pickled as `torch_utils.persistence` does it: source code to be run, and the state."""

    def __init__(self, name, state):
        self.name, self.state = name, state

    def __reduce__(self):
        source = "raise SystemExit('the source code in the pickle was run')"
        meta = dict(
            type="class", version=6, module_src=source, class_name=self.name, state=self.state
        )
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (meta,)


def network(name, tensors):
    """A tree of modules with the attributes that torch's and NVIDIA's modules have."""
    own = {k: v for k, v in tensors.items() if "." not in k}
    parts = OrderedDict()
    for key, value in tensors.items():
        head, _, rest = key.partition(".")
        if rest:
            parts.setdefault(head, OrderedDict())[rest] = value
    buffers = ("noise_const", "resample_filter", "w_avg")
    state = dict(
        training=False,
        _parameters=OrderedDict(
            (k, torch.nn.Parameter(v)) for k, v in own.items() if k not in buffers
        ),
        _buffers=OrderedDict((k, v) for k, v in own.items() if k in buffers),
        _non_persistent_buffers_set=set(),
        _backward_hooks=OrderedDict(),
        _modules=OrderedDict((k, network("Part", v)) for k, v in parts.items()),
        _init_kwargs=sys.modules["dnnlib.util"].EasyDict(conv_clamp=256, act_gain=np.sqrt(2)),
        weight_gain=np.float32(0.5) / np.sqrt(7),
        table=np.arange(3.0),
        dtype=torch.float16,
        device=torch.device("cpu"),
    )
    return Persistent(name, state)


def write_pickle(path, tensors, **more):
    """A snapshot of NVIDIA's training, whose modules exist only while it is written."""
    modules = {n: ModuleType(n) for n in ("torch_utils", "dnnlib")}
    for name in ("torch_utils.persistence", "dnnlib.util"):
        modules[name] = ModuleType(name)

    def _reconstruct_persistent_obj(meta):
        raise AssertionError

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    easy = type("EasyDict", (dict,), {"__module__": "dnnlib.util"})
    modules["torch_utils.persistence"]._reconstruct_persistent_obj = _reconstruct_persistent_obj
    modules["dnnlib.util"].EasyDict = easy
    sys.modules.update(modules)
    try:
        content = dict(training_set_kwargs=easy(path="there"), **more)
        content["G_ema"] = network("Generator", tensors)
        path.write_bytes(pickle.dumps(content))
    finally:
        for name in modules:
            del sys.modules[name]
