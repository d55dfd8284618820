"""Who signs the commits and tags that Heddle makes: a fresh machine has no git identity."""

import os

NAME = "Heddle"
MAIL = "heddle@localhost"


def sign() -> None:
    """Sign as Heddle where the person's own git settings do not say otherwise through the environment."""
    for role in ("AUTHOR", "COMMITTER"):
        os.environ.setdefault(f"GIT_{role}_NAME", NAME)
        os.environ.setdefault(f"GIT_{role}_EMAIL", MAIL)
