"""The program of the stage ``recommender``: ``python -m assets.recommender.train``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("recommender", "assets.recommender.train.stage")
