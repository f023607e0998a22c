"""The leaderboard: runs, results.json, tables, model-zoo.md, its plot and model index."""
