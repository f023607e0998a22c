"""Tells of the shipped weights."""

from l2rkit.commands.zoo import zoo

if __name__ == "__main__":
    zoo()
