"""Noise2Noise on magnetic resonance images (MRI) with few measured frequencies."""
