"""Self-supervised denoising with a blind-spot network (Laine et al. 2019)."""
