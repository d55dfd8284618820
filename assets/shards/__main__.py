"""The program of the stage ``shards``: ``python -m assets.shards``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("shards", "assets.shards.stage")
