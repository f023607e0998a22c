"""Draws samples of a config's data pipeline."""

from l2rkit.cli.browse_dataset import browse_dataset

if __name__ == "__main__":
    browse_dataset()
