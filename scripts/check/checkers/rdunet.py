"""Checker of RDUNet."""

import numpy as np
from keras import ops

from common.networks import unet
from rdunet_tf import configs, network
from scripts.check import golden_files
from scripts.check.checkers.comparing import close, gradients, weight_gradient

TOLERANCE = {"rtol": 2e-4, "atol": 5e-4}


def check_network(arrays, meta):
    """Compares output and gradients (input, PReLU slope, transposed kernel), grey and colour."""
    for case in ("c1", "c3"):
        theirs = {k.split("/", 1)[1]: v for k, v in arrays.items() if k.startswith(f"{case}/")}
        image, cotangent = theirs["input"], theirs["cotangent"]
        net = network.build_network(image.shape[-1], width=meta["arguments"]["base filters"])
        yield close(f"{case} weights", golden_files.check_sums(theirs, meta[case]), 0.0, atol=1e-4)
        golden_files.set_weights(net, meta[case])
        yield close(f"{case} parameters", net.count_params(), meta[case]["parameters"])
        yield close(f"{case} output", net(image), theirs["output"], **TOLERANCE)
        (by_input,) = gradients(lambda x, net=net, c=cotangent: ops.sum(net(x) * c), image)
        yield close(f"{case} gradient/input", by_input, theirs["gradient/input"], **TOLERANCE)
        for name in ("input_block/actv_1/alpha", "up_2/conv_t/kernel"):
            layer, _, variable = name.rpartition("/")
            target = getattr(net.get_layer(layer.replace("/", "_")), variable)
            ours = np.asarray(weight_gradient(net, target, image, cotangent))
            expected = theirs[f"gradient/{name}"]
            yield close(
                f"{case} gradient/{name}", ours.reshape(expected.shape), expected, **TOLERANCE
            )
    padded = unet.pad_to_multiple(
        arrays["mod_pad8/input"][None], "reflect", configs.Config().side_multiple
    )
    # Where a side is a multiple of 8 already, the original pads 8 more (48 -> 56); ours does not.
    rows = arrays["mod_pad8/output"][:, : padded.shape[2]]
    yield close("mod_pad8, where ours pads", padded[0], rows)
