"""Reconstructs bad sample photos, trains for some minutes, prints a leaderboard: `make demo`."""

from l2rkit.cli.demo import demo

if __name__ == "__main__":
    demo()
