"""``python -m rolecall``: the same as the command ``rolecall``."""

from rolecall.cli import main

if __name__ == "__main__":
    main()
