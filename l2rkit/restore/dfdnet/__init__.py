"""DFDNet: blind face restoration by dictionaries of facial components (Li et al., ECCV 2020).

Reading order: `components` (boxes of eyes, nose and mouth), `features` (what is compared),
`dictionary` (how an atom replaces a component), `network` (the trained layers), `restorer` (the
whole). `tools/builders/build_dictionary.py` makes the atoms.
"""

from .restorer import DFDNet

__all__ = ["DFDNet"]
