"""Checkers of Noise2Void: networks, predictions, masking."""

import numpy as np
import tensorflow as tf

from common.files import pixels
from common.networks import losses
from n2v_tf import N2V, N2VConfig, blind_spots, masking, network
from scripts.check import golden_files
from scripts.check.checkers.comparing import close

TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}
TOLERANCE_OF_PREDICTIONS = 1e-3  # as a share of the image's range
SEED = [13, 0]
SPOT_DRAWS = 400


def build(arguments, channels, single_net_per_channel):
    """Builds our network for the arguments of the original's `build_unet`."""
    return network.build_network(
        channels,
        spatial=len(arguments["kernel_size"]),
        depth=arguments["n_depth"],
        width=arguments["n_filter_base"],
        kernel_size=arguments["kernel_size"][0],
        batch_norm=arguments["batch_norm"],
        residual=arguments["residual"],
        blurpool=arguments["blurpool"],
        skip_skipone=arguments["skip_skipone"],
        single_net_per_channel=single_net_per_channel,
    )


def set_weights(net, meta):
    """Gives a network the weights of a golden file's entry."""
    for name, value in golden_files.weights(meta).items():
        layer, _, variable = name.rpartition("/")
        layer = layer.replace("/", "")  # "channel_0/final" -> "channel_0final"
        if variable.startswith("bn_"):
            layer, variable = f"{layer}_bn", variable.removeprefix("bn_")
        getattr(net.get_layer(layer), variable).assign(value)


def check_network(arrays, meta):
    """Compares a network's output, in inference and with batch statistics, and predictions."""
    single = meta["function"].endswith("per_channel")
    image = arrays["input"]
    net = build(meta["arguments"], image.shape[-1], single)
    yield close("weights", golden_files.check_sums(arrays, meta), 0.0, atol=1e-4)
    set_weights(net, meta)
    trainable = sum(int(np.prod(v.shape)) for v in net.weights)
    yield close("parameters", trainable, meta["parameters_without_blur"])
    yield close("output", net(image), arrays["output"], **TOLERANCE)
    if "output_training_mode" in arrays:
        expected = arrays["output_training_mode"]
        yield close("output, training mode", net(image, training=True), expected, **TOLERANCE)

    for case in (name for name in meta if name.startswith("predict_")):
        yield from _check_predict(arrays, meta[case], case)


def _check_predict(arrays, meta, case):
    """Compares N2V.predict: plain, in tiles, with test-time augmentation, of integers."""
    theirs = {k.split("/")[1]: v for k, v in arrays.items() if k.startswith(f"{case}/")}
    known = {k: v for k, v in meta["config"].items() if v is not None}
    known |= {"means": meta["means"], "stds": meta["stds"], "n_channel_in": len(meta["means"])}
    known["n_channel_out"] = known["n_channel_in"]
    config = N2VConfig(None, **known, axes=meta["axes"])
    model = N2V(config, basedir=None)
    set_weights(model.keras_model, meta)
    image, axes, tiles = theirs["input"], meta["axes"], meta["n_tiles"]
    tolerance = TOLERANCE_OF_PREDICTIONS * float(np.ptp(theirs["output_plain"]))
    for name, result in (
        ("plain", model.predict(image, axes)),
        ("tiled", model.predict(image, axes, n_tiles=tiles)),
        ("tta", model.predict(image, axes, tta=True)),
        ("tiled_tta", model.predict(image, axes, n_tiles=tiles, tta=True)),
        ("plain_uint16", model.predict(theirs["input_uint16"], axes)),
    ):
        # With blurred pooling a pixel sees farther than the original's tiles overlap, so that its
        # tiles are visible; ours are compared with its whole result.
        same = name.replace("tiled_", "").replace("tiled", "plain") if config.blurpool else name
        if f"output_{same}" in theirs:
            expected = theirs[f"output_{same}"]
            yield close(f"{case}/{name}", result, expected, atol=round(tolerance, 4))


def check_masking(arrays, meta):
    """Compares the manipulators (random ones by their statistics), counts, and losses."""
    patch, coords = tf.constant(arrays["patch"]), arrays["coords"].astype(np.int32)
    volume, coords3d = tf.constant(arrays["volume"]), arrays["coords3d"].astype(np.int32)
    for name in ("mean", "median", "identity"):
        function = masking.MANIPULATORS[name]
        for radius in (5, 1):
            if (key := f"{name}/values_radius{radius}") in arrays:
                ours = function(patch, coords, radius, SEED)
                yield close(key, ours, arrays[key], atol=1e-6)
        (key,) = (k for k in arrays if k.startswith(f"{name}/values_3d"))
        ours = function(volume, coords3d, int(key[-1]), SEED)
        yield close(key, ours, arrays[key], atol=1e-6)
    for name in ("uniform_withCP", "uniform_withoutCP", "normal_withoutCP"):
        for place in ("centre", "corner", "edge"):
            yield _compare_offsets(arrays, f"{name}/{place}", name)
    for name in ("normal_additive", "normal_fitted"):
        for place in ("centre", "corner"):
            yield from _compare_moments(patch, arrays, f"{name}/{place}", name)
    yield from _check_counts(arrays)
    yield from _check_struct(patch, arrays)
    yield from _check_losses(arrays)
    yield from _check_orientations(arrays)


def _compare_offsets(arrays, key, name):
    """Compares histograms of offsets from the same number of draws, by their total variation."""
    theirs, place = arrays[f"{key}/offset_histogram"], arrays[f"{key}/coord"]
    count, limit = int(arrays[f"{key}/n"]), len(theirs) // 2
    theirs = theirs.astype(np.float64)
    # "withoutCP" means without the centre. Ours never takes it; the original sometimes does.
    if name.endswith("withoutCP"):
        theirs[limit, limit] = 0
    # Every pixel's value is its number, so that a value tells where it was taken.
    numbers = tf.constant(np.arange(64 * 64, dtype=np.float32).reshape(64, 64))
    spots = np.repeat(place[None].astype(np.int32), count, axis=0)
    taken = masking.MANIPULATORS[name](numbers, spots, 5, SEED).numpy().astype(int)
    offsets = np.stack(np.unravel_index(taken, (64, 64)), axis=-1) - place + limit
    offsets = offsets[((offsets >= 0) & (offsets < len(theirs))).all(axis=1)]
    ours = np.zeros_like(theirs)
    np.add.at(ours, tuple(offsets.T), 1)
    distance = np.abs(ours / ours.sum() - theirs / theirs.sum()).sum() / 2
    # The average distance between two histograms of n draws.
    expected = np.sqrt(theirs / theirs.sum()).sum() / np.sqrt(np.pi * count)
    return close(f"{key} offsets", distance, 0.0, atol=round(1.2 * float(expected), 4))


def _compare_moments(patch, arrays, key, name):
    """Compares mean and standard deviation of the values that replace a spot."""
    count = int(arrays[f"{key}/n"])
    place = arrays[f"{key}/coord"].astype(np.int32)
    mean, deviation = arrays[f"{key}/expected_mean_std"]
    spots = np.repeat(place[None], count, axis=0)
    drawn = masking.MANIPULATORS[name](patch, spots, 5, SEED).numpy().astype(np.float64)
    error = float(deviation) / count**0.5
    yield close(f"{key} mean", drawn.mean(), mean, atol=4 * error)
    yield close(f"{key} deviation", drawn.std(), deviation, atol=4 * error)


def _check_counts(arrays):
    """Compares the number of blind spots in a patch."""
    for perc in ("0.198", "1.5", "5"):
        for shape, key in (((64, 64), "2d"), ((32, 32, 32), "3d_32cubed")):
            key = f"count_{key}_perc{perc}"
            if f"{key}/mean" not in arrays:
                continue
            yield close(key + " box", blind_spots.box_side(float(perc)), arrays[f"{key}/box_size"])
            counts = [
                len(masking.draw_spots(shape, float(perc), [0, i])) for i in range(SPOT_DRAWS)
            ]
            error = float(np.std(counts)) / SPOT_DRAWS**0.5
            yield close(key, np.mean(counts), arrays[f"{key}/mean"], atol=5 * error)


def _check_struct(patch, arrays):
    """Compares the pixels that structN2V hides, and the statistics of their new values."""
    coords = arrays["structn2v/coords"].astype(np.int32)
    prefix = "structn2v/mask_after_call_"
    for key in (k for k in arrays if k.startswith(prefix)):
        name = key.removeprefix(prefix)
        offsets = blind_spots.struct_offsets(arrays[f"structn2v/mask_{name}"])
        ours = np.zeros(patch.shape, bool)
        ours[tuple(masking.struct_places(patch.shape, coords, offsets).numpy().T)] = True
        yield close(f"structn2v/{name}", ours, arrays[f"structn2v/overwritten_{name}"])

    # The new values are uniform on [-2, 2].
    spots = np.argwhere(np.ones(patch.shape)).astype(np.int32)
    hidden, _ = masking.mask(
        patch,
        1.5,
        "identity",
        5,
        SEED,
        struct=blind_spots.struct_offsets(np.ones((1, 3))),
        spots=spots,
    )
    drawn, theirs = hidden.numpy(), arrays["structn2v/replacement_stats_mean_var_min_max"]
    error = 2 / drawn.size**0.5
    for i, ours in enumerate((drawn.mean(), drawn.var(), drawn.min(), drawn.max())):
        name = ("mean", "variance", "least", "largest")[i]
        yield close(f"structn2v/replacement {name}", ours, theirs[i], atol=4 * error)


def _check_orientations(arrays):
    """Compares the 8 ways to turn and mirror an image, in any order."""
    image = arrays["tta/input"]
    theirs = [arrays[f"tta/forward_{i}"] for i in range(8)]
    ours = [pixels.orient(image, *way, (0, 1)) for way in pixels.ORIENTATIONS]
    common = sum(any(np.array_equal(a, b) for b in ours) for a in theirs)
    yield close("tta, ways in common", common, 8)


def _check_losses(arrays):
    """Compares the losses on blind spots."""
    for case in ("c1", "c2"):
        target, kept = np.split(arrays[f"loss/{case}/y_true"], 2, axis=-1)
        predicted = arrays[f"loss/{case}/y_pred"]
        for name, function in (
            ("mse", losses.mean_square_where),
            ("mae", losses.mean_absolute_where),
        ):
            ours = function(predicted, target, kept)
            yield close(f"loss/{case}/{name}", ours, arrays[f"loss/{case}/{name}"], rtol=1e-6)
