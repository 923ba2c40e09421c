"""Scores, examples to score, classical baselines, a look at noisy data, pictures."""
