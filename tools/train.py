"""Trains a config."""

from l2rkit.cli.train import train

if __name__ == "__main__":
    train()
