"""Reconstructs meshes from photos."""

from l2rkit.cli.reconstruct import reconstruct

if __name__ == "__main__":
    reconstruct()
