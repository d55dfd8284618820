"""``python -m assets.release``."""

from assets.release.folder import release
from assets.stage import main

if __name__ == "__main__":
    main(release)
