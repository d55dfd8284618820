"""The program of the stage ``release``: ``python -m assets.release``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("release", "assets.release.stage")
