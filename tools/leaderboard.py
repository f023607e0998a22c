"""Prints the figures of results files as one table."""

from l2rkit.cli.leaderboard import leaderboard

if __name__ == "__main__":
    leaderboard()
