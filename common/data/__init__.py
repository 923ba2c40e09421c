"""Images to train on, and batches of them as a function of (seed, number)."""
