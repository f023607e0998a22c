"""Prints a config with its bases and changes merged in."""

from l2rkit.cli.print_config import print_config

if __name__ == "__main__":
    print_config()
