"""Installs l2rkit. `pip install -e .` for a working copy."""

from pathlib import Path

from setuptools import find_packages, setup

# The configs lie beside the package and are installed within it.
CONFIGS = {
    ".".join(["l2rkit", *folder.parts]): str(folder)
    for folder in [Path("configs"), *sorted(Path("configs").rglob("*"))]
    if folder.is_dir() and folder.name != "__pycache__"
}

setup(
    name="l2rkit",
    version="0.2.0",
    description="Trains, tests and compares 3D face reconstruction from bad photos",
    long_description=Path(__file__).with_name("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=[*find_packages(include=["l2rkit", "l2rkit.*"]), *CONFIGS],
    package_dir=CONFIGS,
    package_data={
        "l2rkit": [
            "zoo/**/*",
            "data/heads/*.npz",
            "data/openfaces/*.gz",
            "landmarks/*.npz",
            "viz/*.html",
            # for OpenMMLab's mim; l2rkit/.mim holds links to the index, configs and tools
            ".mim/*.yml",
            ".mim/configs/*/metafile.yml",
            ".mim/tools/*.*",
        ],
    },
    install_requires=[
        "torch>=2.4",
        "mmengine>=0.10.7,<0.11",
        "mmcv-lite>=2.2,<2.3",
        "numpy",
        "opencv-python",
        "numba",
        "trimesh",
        "safetensors",
        "click",
        "pillow",
        "filelock",
    ],
    entry_points={"console_scripts": ["l2rkit = l2rkit.cli:main"]},
    extras_require={
        "app": ["gradio>=6.31,<7"],
        "dev": ["pytest", "pytest-xdist", "hypothesis", "ruff", "mypy"],
        "docs": ["mkdocs-material>=9.8,<10", "mkdocstrings[python]>=1,<2"],
        "heic": ["pillow-heif"],
        "spandrel": ["spandrel"],
        "tensorboard": ["tensorboard"],
    },
)
