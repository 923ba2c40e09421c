"""Noise2Noise on magnetic resonance images of which few frequencies were measured."""
