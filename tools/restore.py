"""Restores photos in 2D."""

from l2rkit.cli.restore import restore

if __name__ == "__main__":
    restore()
