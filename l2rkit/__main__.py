"""`python -m l2rkit` is `l2rkit`."""

from .cli import main

if __name__ == "__main__":
    main(prog_name="l2rkit")
