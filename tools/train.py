"""Trains a config."""

from l2rkit.commands.train import train

if __name__ == "__main__":
    train()
