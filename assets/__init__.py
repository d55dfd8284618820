"""One module (or package) for each asset: what it computes. None imports dagster."""

import time

# Python runs this file before it reads any stage's: a source file that is younger was edited while the stage started.
STARTED = time.time()
