"""The U-Net, the base class of denoisers, losses, metrics."""
