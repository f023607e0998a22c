"""DFDNet: blind face restoration by dictionaries of facial components (Li et al., ECCV 2020).

Read in this order: `components` says where eyes, nose and mouth are, `features` what is compared,
`dictionary` how a component is exchanged for an atom, `kmeans` where atoms come from, `network`
how a picture is made of it, `restorer` the whole.
"""

from .restorer import DFDNet

__all__ = ["DFDNet"]
