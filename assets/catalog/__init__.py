"""Crawl the sources, fetch pictures, normalise, hash and de-duplicate."""
