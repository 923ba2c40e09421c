"""Training steps of SSDN's network in plain PyTorch: python torch_ssdn.py CROPS SETTINGS.

A network as the paper describes it, written the way one writes PyTorch: four turned copies of the
batch, upsampling and concatenation before each decoder convolution, Gaussian noise of known sigma.
It stands for PyTorch as it is, in float32; it is not a copy of anybody's program.

CROPS: .npy of (N, H, W, 3) float32 in [0, 1], noisy. SETTINGS: JSON of ours, see ours.py.
"""

import json
import sys

import pace


def main():
    """Trains until nobody asks for more steps."""
    steps = pace.Pace()
    import numpy as np
    import torch
    from torch import nn
    from torch.nn import functional

    class Shifted(nn.Conv2d):
        """A 3x3 convolution that sees the row of its pixel and the two above."""

        def __init__(self, inputs, outputs):
            super().__init__(inputs, outputs, 3)

        def forward(self, x):
            return super().forward(functional.pad(x, (1, 1, 2, 0)))

    class Network(nn.Module):
        """Colour image to the 9 outputs of SSDN."""

        def __init__(self):
            super().__init__()
            self.down = nn.ModuleList(
                [Shifted(3, 48), Shifted(48, 48), *(Shifted(48, 48) for _ in range(5))]
            )
            inputs = [96, 144, 144, 144, 99]
            self.up = nn.ModuleList(Shifted(n, 96) for n in inputs)
            self.again = nn.ModuleList(Shifted(96, 96) for _ in range(5))
            self.last = nn.Sequential(
                *(nn.Conv2d(384, 384, 1), nn.LeakyReLU(0.1)),
                *(nn.Conv2d(384, 96, 1), nn.LeakyReLU(0.1), nn.Conv2d(96, 9, 1)),
            )

        @staticmethod
        def halved(x):
            return functional.max_pool2d(functional.pad(x, (0, 0, 1, 0))[:, :, :-1], 2)

        def branch(self, image):
            skips, x = [image], functional.leaky_relu(self.down[0](image), 0.1)
            for i, layer in enumerate(self.down[1:6]):
                x = self.halved(functional.leaky_relu(layer(x), 0.1))
                if i < 4:
                    skips.append(x)
            x = functional.leaky_relu(self.down[6](x), 0.1)
            for up, again in zip(self.up, self.again):
                x = functional.interpolate(x, scale_factor=2, mode="nearest")
                x = functional.leaky_relu(up(torch.cat([x, skips.pop()], 1)), 0.1)
                x = functional.leaky_relu(again(x), 0.1)
            return functional.pad(x, (0, 0, 1, 0))[:, :, :-1]

        def forward(self, x):
            turned = torch.cat([torch.rot90(x, turns, (2, 3)) for turns in range(4)])
            parts = self.branch(turned).chunk(4)
            back = [torch.rot90(part, -turns, (2, 3)) for turns, part in enumerate(parts)]
            return self.last(torch.cat(back, 1))

    crops, settings = torch.from_numpy(np.load(sys.argv[1])), json.loads(sys.argv[2])
    crops = crops.permute(0, 3, 1, 2)
    variance = (25 / 255) ** 2
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), 3e-4, betas=(0.9, 0.99))
    size = settings["batch_size"]
    while True:
        for first in range(0, len(crops) - size + 1, size):
            noisy = crops[first : first + size]
            outputs = network(noisy)
            r00, r01, r02, r11, r12, r22 = outputs[:, 3:].unbind(1)  # of a triangular root
            x, y, z = (noisy - outputs[:, :3]).unbind(1)
            # The covariance of the noisy value, its adjugate and its determinant.
            a, b, c = r00 * r00 + variance, r00 * r01, r00 * r02
            d, e = r01 * r01 + r11 * r11 + variance, r01 * r02 + r11 * r12
            f = r02 * r02 + r12 * r12 + r22 * r22 + variance
            da, db, dc = d * f - e * e, c * e - b * f, b * e - c * d
            determinant = a * da + b * db + c * dc
            square = da * x * x + (a * f - c * c) * y * y + (a * d - b * b) * z * z
            mixed = db * x * y + dc * x * z + (b * c - a * e) * y * z
            loss = ((square + 2 * mixed) / determinant + determinant.log()).mean() / 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps.step()


if __name__ == "__main__":
    main()
