"""The program of the stage ``retrieval_evaluation``: ``python -m assets.reranker.evaluate``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("retrieval_evaluation", "assets.reranker.evaluate.stage")
