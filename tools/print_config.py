"""Prints a config merged with its bases and changes."""

from l2rkit.cli.print_config import print_config

if __name__ == "__main__":
    print_config()
