"""An inferencer with the interface of OpenMMLab's: photos in, faces out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.infer import BaseInferencer
from PIL import Image

from ..config import load_config
from ..data.photo import list_photos
from ..errors import ConfigError
from ..io.names import check_outputs, output_names
from ..viz.panel import panel
from ..zoo import DEFAULT_CONFIG
from .inputs import Photo, is_one_photo
from .reconstruction import Reconstruction, endings
from .reconstructor import Crop, Reconstructor


class FaceInferencer(BaseInferencer):
    """Reconstructs faces from photos, with the interface of an OpenMMLab inferencer.

    >>> inferencer = FaceInferencer("l2r_openfaces")
    >>> result = inferencer("photo.jpg", out_dir="out")
    >>> result["predictions"][0][0]["depth"]

    Args:
        model: a config file, or the name of a shipped config.
        weights: a weight file; by default the shipped one of the config's name.
        device: cpu, cuda, ...; None takes the GPU if there is one.
        scope: the scope of MMEngine's registries; l2rkit's parts need none.
        show_progress: shows a progress bar.
        align: finds and crops faces; if False, each photo is one cropped face.
        every_face: returns all faces of a photo, not only the largest.
    """

    visualize_kwargs = {"return_vis", "show"}
    postprocess_kwargs = {"out_dir", "formats"}

    def __init__(
        self,
        model: str | Path = DEFAULT_CONFIG,
        weights: str | Path | None = None,
        device: str | None = None,
        scope: str | None = None,
        show_progress: bool = True,
        align: bool = True,
        every_face: bool = False,
    ) -> None:
        self.reconstructor = Reconstructor(model, weights, align, every_face, device or "auto")
        self.model, self.cfg = self.reconstructor.model, load_config(model)
        self.scope, self.show_progress = scope, show_progress
        self.pipeline = self._init_pipeline(self.cfg)
        self.collate_fn, self.visualizer = list, None

    def __call__(
        self,
        inputs: Photo | Sequence[Photo],
        return_datasamples: bool = False,
        batch_size: int = 1,
        return_vis: bool = False,
        show: bool = False,
        out_dir: str | Path | None = None,
        formats: Sequence[str] = ("glb",),
    ) -> dict[str, list]:
        """`predictions` and `visualization`, with one item per photo.

        A prediction lists the photo's faces, the largest first: the arrays of
        `Reconstruction.arrays` by name or, with `return_datasamples`, the `Reconstruction`. A
        visualization is a panel (h, w, 3) uint8 RGB with a row per face; the list is empty
        without `return_vis` or `show`.

        Args:
            inputs: a photo or several: files, folders, Pillow images, RGB arrays, tensors, bytes.
            batch_size: photos per forward pass.
            show: opens the panels in a window.
            out_dir: folder for NAME.npz, NAME.png and meshes of `formats`, as `l2rkit reconstruct`
                writes them; photos without a file name are 00000000, 00000001, ...

        Raises:
            UserError: a photo cannot be read or holds no face, or a photo or a picture that is not
                from l2rkit would be overwritten; names the first such file.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size is 1 or more, not {batch_size}")
        photos = self._inputs_to_list(inputs)
        paths = [Path(p) for p in photos if isinstance(p, (str, Path))]
        self.names = names_of(photos, endings(formats))
        if out_dir:
            check_outputs(paths, Path(out_dir), self.names, endings(formats), every_face=True)
        return super().__call__(
            photos,
            return_datasamples,
            batch_size,
            return_vis=return_vis,
            show=show,
            out_dir=out_dir,
            formats=formats,
        )

    def _init_pipeline(self, cfg: Any) -> Any:
        """The function that returns the crops of one photo."""
        return self.reconstructor.crops

    def _inputs_to_list(self, inputs: Photo | Sequence[Photo]) -> list[Photo]:
        several = [inputs] if is_one_photo(inputs) else list(inputs)
        found: list[Photo] = []
        for one in several:
            folder = isinstance(one, (str, Path)) and Path(one).is_dir()
            found += list_photos(one) if folder else [one]
        return found

    def preprocess(self, inputs: list[Photo], batch_size: int = 1) -> Iterator[list[list[Crop]]]:
        """The crops of each photo, `batch_size` photos at a time."""
        for first in range(0, len(inputs), batch_size):
            yield self.collate_fn(map(self.pipeline, inputs[first : first + batch_size]))

    def forward(self, inputs: list[list[Crop]]) -> list[list[Reconstruction]]:
        """The faces of each photo of a batch."""
        faces = iter(self.reconstructor.faces([crop for crops in inputs for crop in crops]))
        return [[next(faces) for _ in crops] for crops in inputs]

    def visualize(
        self,
        inputs: list[Photo],
        preds: list[list[Reconstruction]],
        return_vis: bool = False,
        show: bool = False,
    ) -> list[np.ndarray]:
        """A panel for each photo, one above the other where it has several faces."""
        if not return_vis and not show:
            return []
        panels = [np.concatenate([_panel(face) for face in faces]) for faces in preds]
        for picture in panels if show else ():
            Image.fromarray(picture).show()
        return panels

    def postprocess(
        self,
        preds: list[list[Reconstruction]],
        visualization: list[np.ndarray],
        return_datasamples: bool = False,
        out_dir: str | Path | None = None,
        formats: Sequence[str] = ("glb",),
    ) -> dict[str, list]:
        """Writes the faces, if there is an `out_dir`; returns the result of the call."""
        if out_dir:
            for name, faces in zip(self.names, preds):
                for number, face in enumerate(faces, 1):
                    own = name if number == 1 else f"{name}-face{number}"
                    face.save(out_dir, own, formats)
        predictions: list = preds
        if not return_datasamples:
            predictions = [[face.arrays() for face in faces] for faces in preds]
        return {"predictions": predictions, "visualization": visualization}


def names_of(photos: Sequence[Photo], endings: Sequence[str] = (".png",)) -> list[str]:
    """A name for each photo's files, as of `output_names`: its stem, or else its number."""
    paths = [
        Path(photo) if isinstance(photo, (str, Path)) else Path(f"{number:08d}")
        for number, photo in enumerate(photos)
    ]
    return output_names(paths, endings, every_face=True)


def _panel(face: Reconstruction) -> np.ndarray:
    scene, rendering = face.scene, face.scene.rendering
    assert rendering is not None  # only scenes of trainings may lack it
    return np.asarray(panel(scene.target, face.face, rendering, face.renderer))
