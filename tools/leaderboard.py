"""Prints the figures of results files as one table."""

from l2rkit.commands.leaderboard import leaderboard

if __name__ == "__main__":
    leaderboard()
