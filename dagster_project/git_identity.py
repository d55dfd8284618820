"""Git author and committer of the commits and tags that Heddle creates. A fresh machine has no git identity."""

import os

NAME = "Heddle"
MAIL = "heddle@localhost"


def set_git_identity() -> None:
    """Set Heddle as author and committer, unless the environment already sets them."""
    for role in ("AUTHOR", "COMMITTER"):
        os.environ.setdefault(f"GIT_{role}_NAME", NAME)
        os.environ.setdefault(f"GIT_{role}_EMAIL", MAIL)
