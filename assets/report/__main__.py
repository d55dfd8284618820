"""``python -m assets.report``."""

from assets.report.page import report
from assets.stage import main

if __name__ == "__main__":
    main(report)
