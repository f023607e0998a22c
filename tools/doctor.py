"""Reports which parts of l2rkit work on this machine."""

from l2rkit.cli.doctor import doctor

if __name__ == "__main__":
    doctor()
