"""A GPU that is not there: which calls would make the host wait for it, and which would fail.

Tensors are marked as lying on it and stay on the CPU, so that all values are real. Within
`FakeDevice` a marked tensor says that its device is `cuda:0`, and what is computed of marked
tensors is marked. Calls that would copy to the host or wait for the device, and copies to it that
block, are counted by the place in the code that makes them; an operation on tensors of both
devices, which CUDA refuses, raises. What happens inside C++, such as in a backward, is not seen.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map_only

HERE = torch.device("cuda", 0)
ROOT = Path(__file__).parents[1]
# Calls whose answer goes to the host, or whose size depends on values.
WAITS = {
    "__array__", "__bool__", "__contains__", "__float__", "__format__", "__index__", "__int__",
    "__repr__", "allclose", "argwhere", "bincount", "cpu", "equal", "is_nonzero", "item",
    "linalg_cholesky", "linalg_eigh", "linalg_inv", "linalg_lstsq", "linalg_solve", "linalg_svd",
    "masked_select", "multinomial", "nonzero", "numpy", "tolist", "unique", "unique_consecutive",
}  # fmt: skip
MAKES = ("tensor", "as_tensor", "new_tensor", "from_numpy")
# Calls that take tensors of any device, or only look at them.
MIXES = {"to", "copy_", "backward", "__get__", "__set__", "__setitem__", "__getitem__", "type_as"}


class FakeDevice(TorchFunctionMode):
    """Counts in `calls` what makes the host wait: (file, function, call) → how often."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[tuple[str, str, str]] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = func.__name__
        tensors = [v for v in tree_flatten((args, kwargs))[0] if isinstance(v, Tensor)]
        here = any(map(is_here, tensors))
        if name == "__get__":
            return self.attribute(func, args[0], here)
        if func is Tensor.backward:
            return self.backward(args[0], **kwargs)
        if name == "to":
            return self.moved(func, args, kwargs, here)
        made_here = str(kwargs.get("device", "cpu")).startswith("cuda")
        if made_here:
            kwargs["device"] = "cpu"
        if here or made_here:
            self.count(name, args, kwargs, made_here)
            away = [t for t in tensors if t.dim() and not is_here(t)]
            if here and away and name not in MIXES and not name.startswith("_foreach"):
                raise RuntimeError(f"{name} of tensors on cuda:0 and the CPU at {place()}")
        result = func(*args, **kwargs)
        if name == "cpu":
            return unmarked(result)
        return marked(result) if here or made_here else result

    def backward(self, loss: Tensor, create_graph: bool, **kwargs: Any) -> None:
        """In this mode, so that what is run in Python on the way back is seen, too."""
        ones, run = torch.ones_like(loss), torch.autograd.Variable._execution_engine.run_backward
        with self:
            run((loss,), (ones,), create_graph, create_graph, (), True, True)

    def attribute(self, func: Any, tensor: Tensor, here: bool) -> Any:
        """What a tensor says of itself; its device is the fake one."""
        value = func(tensor)
        if here and isinstance(value, torch.device):
            return HERE
        if here and func == Tensor.is_cuda.__get__:
            return True
        return marked(value) if here else value

    def moved(self, func: Any, args: Any, kwargs: Any, here: bool) -> Any:
        """`Tensor.to`: between devices, it counts if it blocks."""
        tensor, target = args[0], None
        asked = [*args[1:], *kwargs.values()]
        for value in asked:
            if isinstance(value, Tensor):
                target = HERE if is_here(value) else torch.device("cpu")
            elif isinstance(value, str | torch.device):
                target = torch.device(value)
        rest = [v.dtype if isinstance(v, Tensor) else v for v in asked]
        result = tensor
        for value in rest:
            if isinstance(value, torch.dtype):
                result = result.to(value)
            elif isinstance(value, torch.memory_format):
                result = result.to(memory_format=value)
        if target is None or (target.type == "cuda") == is_here(tensor):
            return marked(result) if is_here(tensor) else result
        if target.type == "cuda":
            if not kwargs.get("non_blocking", False):
                self.calls[(*place(), "upload")] += 1
            return marked(result.clone() if result is tensor else result)
        self.calls[(*place(), "download")] += 1
        return unmarked(result)

    def count(self, name: str, args: Any, kwargs: Any, made_here: bool) -> None:
        if name in WAITS or (name == "where" and len(args) + len(kwargs) == 1):
            self.calls[(*place(), name)] += 1
        elif name in MAKES:
            self.calls[(*place(), "upload")] += 1
        elif name == "repeat_interleave" and "output_size" not in kwargs:
            self.calls[(*place(), name)] += 1
        elif name in ("__getitem__", "__setitem__"):
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            for each in index:
                if isinstance(each, Tensor) and each.dtype == torch.bool:
                    filled = name == "__setitem__" and not isinstance(args[2], Tensor)
                    if not filled:
                        self.calls[(*place(), "boolean index")] += 1
                elif isinstance(each, list) or (isinstance(each, Tensor) and not is_here(each)):
                    self.calls[(*place(), "upload")] += 1


def is_here(value: Any) -> bool:
    return getattr(value, "_on_fake_device", False)


def marked(value: Any) -> Any:
    """The value with all tensors in it marked."""
    if hasattr(value, "__next__"):
        return iter([marked(each) for each in value])
    tree_map_only(Tensor, lambda t: setattr(t, "_on_fake_device", True), value)
    return value


def unmarked(tensor: Tensor) -> Tensor:
    """A copy of the tensor on the host."""
    return tensor.clone()


def put_here(module: nn.Module) -> nn.Module:
    """The module with weights and buffers on the fake device, as `to` would leave them."""
    for part in module.modules():
        stay = getattr(part, "host_buffers", ())
        for name, tensor in [*part._parameters.items(), *part._buffers.items()]:
            if name not in stay:
                marked(tensor)
    return module


def place() -> tuple[str, str]:
    """File and function, within this repository or a package, of the innermost call there."""
    frame = sys._getframe(1)
    packages = ("mmengine", "torch/optim")
    while frame is not None:
        path = frame.f_code.co_filename
        if path != __file__:
            if path.startswith(str(ROOT / "l2rkit")):
                return str(Path(path).relative_to(ROOT / "l2rkit")), frame.f_code.co_name
            for package in packages:
                if f"site-packages/{package}/" in path:
                    return path.split("site-packages/")[1], frame.f_code.co_name
        frame = frame.f_back
    return "?", "?"
