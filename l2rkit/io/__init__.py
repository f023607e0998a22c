"""Reading and writing of files: atomic files, weights, checkpoints, foreign pickles.

Import its modules by name: some of them need no torch.
"""
