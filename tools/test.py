"""Evaluates a trained model."""

from l2rkit.cli.test import test

if __name__ == "__main__":
    test()
