"""The program of the stage ``recommender_evaluation``: ``python -m assets.recommender.evaluate``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("recommender_evaluation", "assets.recommender.evaluate.stage")
