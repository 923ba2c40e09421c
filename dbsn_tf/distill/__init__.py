"""A second denoiser that learns from a D-BSN and from clean images of other scenes."""
