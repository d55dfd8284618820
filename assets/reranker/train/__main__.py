"""The program of the stage ``reranker``: ``python -m assets.reranker.train``."""

from heddle.core.program import run_stage

if __name__ == "__main__":
    run_stage("reranker", "assets.reranker.train.stage")
