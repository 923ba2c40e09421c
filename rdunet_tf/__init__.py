"""RDUNet, the supervised denoiser beside the self-supervised ones (Gurrola-Ramos et al. 2021)."""
