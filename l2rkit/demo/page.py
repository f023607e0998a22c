"""The page: a photo and choices on the left, the results of one or two methods on the right."""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from ..errors import UserError
from ..io.files import png
from .choices import NOTHING, SAMPLES, Choices
from .look import faces_in, look
from .middleware import names_an_address

TITLE = "l2rkit: a bad photo, a face in 3D"
WORDS = """### A bad photo, a face in 3D
Choose a photo with a face, or a sample, and press *Reconstruct*; below it is what else there is to
choose. What a bad photo does not show is made up. Photos stay on the machine with this page."""
FONT, MONO = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")  # none is downloaded
THEME = gr.themes.Soft(primary_hue="teal", font=FONT, font_mono=MONO)
AHEAD = (90.0, 90.0, None)  # degrees: Model3D's camera in front of the face
CLEANED, LASTS = 600, 3600  # s: interval of the clean-up, and age at which files are deleted
PICTURES_IN_A_ROW, SLIDER = 3, 360  # the latter in px
TURN = "drag it to turn it"
UPLOADED = "a photo has to be uploaded"
CSS = """.grid-wrap {
  min-height: 0 !important; max-height: none !important; overflow: visible !important;
}
[data-testid="status-tracker"] .error { display: none !important; }"""  # shown as a line
THUMB, MOST_FACES = 96, 24  # size in px and largest number of the faces to choose from


class Page(gr.Blocks):
    """Blocks that refuse URLs in requests, which gradio would fetch."""

    async def preprocess_data(self, block_fn: Any, inputs: list, *rest: Any, **named: Any) -> list:
        if names_an_address(inputs):
            raise refusal(UPLOADED)
        if len(inputs) != (expected := len(block_fn.inputs)):
            raise refusal(f"/{block_fn.api_name} takes {expected} values, not {len(inputs)}")
        return await super().preprocess_data(block_fn, inputs, *rest, **named)


def page(choices: Choices) -> gr.Blocks:
    """The whole page, ready to launch. Its only API endpoint is `/look`."""
    methods, fidelity_of = list(choices.methods), choices.balanced
    with Page(title=TITLE, analytics_enabled=False, delete_cache=(CLEANED, LASTS)) as blocks:
        gr.Markdown(WORDS)
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                photo = photo_box()
                gr.Examples([[str(path)] for path in SAMPLES], photo, label="Samples")
                faces = gr.Gallery(
                    label="Choose a face",
                    visible=False,
                    columns=4,
                    height="auto",
                    allow_preview=False,
                    interactive=False,
                    format="png",
                    elem_id="faces",
                )
                which = gr.Number(1, label="Face", precision=0, minimum=1, visible=False)
                go = gr.Button("Reconstruct", variant="primary", elem_id="go")
                level = gr.Radio(
                    choices.levels, value=choices.levels[0], label="Make it worse", elem_id="level"
                )
                restorer = gr.Radio(
                    list(choices.restorers), value=NOTHING, label="Restore it in 2D first"
                )
                first = gr.Dropdown(methods, value=methods[0], label="Method")
                second = gr.Dropdown(
                    [NOTHING, *methods], value=NOTHING, label="Compare with", elem_id="beside"
                )
                fidelity = gr.Slider(
                    0, 1, 1, step=0.05, label="Fidelity", info="0: to the prior, 1: to the photo"
                )
            with gr.Column(scale=3), gr.Row():
                left, right = shown("first"), shown("second", visible=False)

        def chosen(one: str, other: str) -> tuple:
            """Updates what depends on the chosen methods: the fidelity and the second column."""
            return gr.Slider(visible=bool({one, other} & fidelity_of)), gr.Column(
                visible=other != NOTHING
            )

        gr.on(
            [first.change, second.change],
            chosen,
            [first, second],
            [fidelity, right[0]],
            queue=False,
            api_visibility="private",
        )
        photo.change(found, photo, [faces, which], show_progress="hidden", api_visibility="private")
        faces.select(picked, None, which, queue=False, api_visibility="private")
        go.click(
            compared,
            [photo, level, restorer, fidelity, first, second, which],
            [*left[1:], *right[1:]],
            show_progress_on=left[3],
            api_name="look",
        )
    return blocks


def photo_box() -> gr.Image:
    """The input for a photo. It passes on the file's path, as our reader has better errors."""
    box = gr.Image(
        label="Photo", sources=["upload", "clipboard"], type="filepath", height=280, elem_id="photo"
    )
    box.preprocess = lambda file: file and file.path
    return box


def shown(
    name: str, visible: bool = True
) -> tuple[gr.Column, gr.Gallery, gr.ImageSlider, gr.Model3D, gr.DownloadButton, gr.Markdown]:
    """The column that shows the face of one method, and the line of its quality."""
    with gr.Column(visible=visible, min_width=320, elem_id=name) as column:
        model = gr.Model3D(
            label="The face in 3D",
            camera_position=AHEAD,
            clear_color=(0.93, 0.94, 0.95, 1.0),
            height=380,
            interactive=False,
            elem_id=f"{name}-model",
        )
        note = gr.Markdown(visible=False, elem_id=f"{name}-quality")
        slider = gr.ImageSlider(
            label="Photo, and the face drawn in it",
            slider_position=50,
            height=SLIDER,  # a square, else both pictures are cut at different places
            width=SLIDER,
            format="png",
            interactive=False,
            buttons=[],
            elem_id=f"{name}-slider",
        )
        gallery = gr.Gallery(
            show_label=False,
            columns=PICTURES_IN_A_ROW,
            object_fit="contain",
            height="auto",
            format="png",
            interactive=False,
            buttons=["download", "fullscreen"],
            elem_id=f"{name}-pictures",
        )
        download = gr.DownloadButton("Download the face (GLB)", elem_id=f"{name}-glb")
    return column, gallery, slider, model, download, note


def found(photo: str | None) -> tuple[gr.Gallery, int]:
    """The gallery of faces, shown if there are several, and the number of the chosen one.

    Errors of a photo are shown once, when it is used.
    """
    faces = []
    with suppress(UserError):
        if photo is not None and is_uploaded(photo):
            faces = faces_in(photo, THUMB)[:MOST_FACES]
    several = faces if len(faces) > 1 else []
    files = [
        (saved(png(Image.fromarray(face)), "face.png"), f"{number}")
        for number, face in enumerate(several, 1)
    ]
    return gr.Gallery(files, visible=bool(files), selected_index=0 if files else None), 1


def picked(event: gr.SelectData) -> int:
    """The number of the face that was clicked."""
    return event.index + 1


def compared(
    photo: str | None,
    level: str,
    restorer: str,
    fidelity: float,
    first: str,
    second: str,
    which: float = 1,
) -> list:
    """The values of the components of `shown` for both methods.

    Raises:
        gr.Error: one line, for the page.
    """
    if photo is None:
        raise refusal("choose a photo first")
    if not is_uploaded(photo):
        raise refusal(UPLOADED)
    made: list = []
    for method in (first, second):
        if method == NOTHING:
            made += [None, None, None, None, gr.Markdown(visible=False)]
            continue
        try:
            seen = look(photo, level, method, restorer, fidelity, int(which or 1))
        except UserError as error:
            raise refusal(one_line(error, photo)) from None
        file = saved(seen.glb, f"{Path(photo).stem}-{method}.glb")
        model = saved(seen.preview, f"{Path(photo).stem}-{method}-preview.glb")
        pictures = [(picture(one), title) for title, one in seen.pictures.items()]
        both = picture(seen.before), picture(seen.after)
        note = gr.Markdown(seen.note, visible=bool(seen.note))
        made += [pictures, both, gr.Model3D(model, label=f"{method}: {TURN}"), file, note]
    return made


def picture(pixels: np.ndarray) -> str:
    """The path of a file with the picture (H, W, 3) uint8, for the page."""
    return saved(png(Image.fromarray(pixels)), "picture.png")


def is_uploaded(photo: str) -> bool:
    """Whether a file is in the page's own folder, not elsewhere on this machine."""
    return Path(photo).resolve().is_relative_to(Path(get_upload_folder()).resolve())


def refusal(words: str) -> gr.Error:
    """An error of one line, shown on the page until it is closed."""
    return gr.Error(words, duration=None, print_exception=False)


def one_line(error: UserError, photo: str) -> str:
    """The message of an error, without the server's path of the photo."""
    return " ".join(str(error).replace(str(photo), Path(photo).name).split())


def saved(content: bytes, name: str) -> str:
    """The path of a file with this content, in the folder of this server.

    Equal contents share a path, which may be in use, so the file is replaced atomically.
    """
    folder = Path(get_upload_folder(), sha256(content).hexdigest())
    folder.mkdir(exist_ok=True)
    with NamedTemporaryFile(dir=folder, delete=False) as file:
        file.write(content)
    return str(Path(file.name).replace(folder / name))
