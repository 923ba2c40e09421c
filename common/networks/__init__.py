"""What networks are made of: the U-Net, the base class of denoisers, losses, metrics."""
