"""What the writer writes of listings that no training has seen: true or not, beside baselines, and how sure of it."""
