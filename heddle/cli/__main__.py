"""``python -m heddle.cli`` is ``heddle``."""

from heddle.cli.commands import main

if __name__ == "__main__":
    main(prog_name="heddle")
