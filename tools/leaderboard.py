"""Prints the results of results.json files as tables."""

from l2rkit.cli.leaderboard import leaderboard

if __name__ == "__main__":
    leaderboard()
