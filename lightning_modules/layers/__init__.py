"""Building blocks that know nothing of listings or pictures: one idea a file, each with its source."""
