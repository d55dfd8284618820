"""The page that a person opens first: what came in, what was learnt, what passed."""
