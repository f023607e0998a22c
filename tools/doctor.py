"""Says what of l2rkit works here."""

from l2rkit.cli.doctor import doctor

if __name__ == "__main__":
    doctor()
