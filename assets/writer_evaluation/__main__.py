"""``python -m assets.writer_evaluation``."""

from assets.stage import main
from assets.writer_evaluation.judging import writer_evaluation

if __name__ == "__main__":
    main(writer_evaluation)
