"""How networks and sizes of images go together, without Keras."""


def radius(reaches):
    """How far an output pixel of a U-Net sees, at most, pixels along a side.

    reaches: for each level, the finest first, by how many of its pixels all the operations there
        together reach to one side: 1 for a 3x3 convolution.
    """
    steps = [2**level for level in range(len(reaches))]
    # The pixels that the coarsest one stands for lie unevenly around one of them.
    return sum(step * reach for step, reach in zip(steps, reaches)) + steps[-1] - 1


def missing(side, multiple):
    """How many pixels a side lacks to be a multiple; of tensors too."""
    return (side + multiple - 1) // multiple * multiple - side
