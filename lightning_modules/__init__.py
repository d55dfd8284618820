"""Networks and their training code."""
