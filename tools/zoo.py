"""Lists and describes the shipped weights."""

from l2rkit.cli.zoo import zoo

if __name__ == "__main__":
    zoo()
