"""How files are read and written: by bytes, as weights, to resume from, and those of others.

Its modules are imported by their names: some of them need no torch.
"""
