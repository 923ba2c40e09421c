"""Scores, examples to score, classical baselines, a check of noisy data, pictures."""
