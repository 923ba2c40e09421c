"""Super-resolution as denoising of enlarged images (Cadiou & Dervishi, section 4.1)."""
