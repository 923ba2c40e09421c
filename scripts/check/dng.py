"""Raw files as a camera writes them: DNG, a TIFF with the mosaic of a sensor."""

import numpy as np
import tifffile

BLACK, WHITE = 512, 16383
RGGB = [[0, 1], [1, 2]]


def mosaic_of(picture):
    """The light (H, W) that a sensor with the colour filters RGGB counts of a picture (H, W, 3)."""
    rows, columns = np.indices(picture.shape[:2])
    colours = np.asarray(RGGB)[rows % 2, columns % 2]
    return np.take_along_axis(picture, colours[..., None], axis=2)[..., 0]


def write(path, light):
    """Writes the mosaic of a sensor, (H, W) with 0 black and 1 white, as 14 bits."""
    counts = np.clip(np.round(BLACK + light * (WHITE - BLACK)), 0, WHITE).astype(np.uint16)
    path.parent.mkdir(exist_ok=True)
    rational = [v for n in (1, 0, 0, 0, 1, 0, 0, 0, 1) for v in (n, 1)]
    tifffile.imwrite(
        path,
        counts,
        photometric=32803,  # colour filter array
        metadata=None,
        extratags=[
            (33421, "H", 2, (2, 2)),  # CFARepeatPatternDim
            (33422, "B", 4, bytes([0, 1, 1, 2])),  # CFAPattern
            (50706, "B", 4, bytes([1, 4, 0, 0])),  # DNGVersion
            (50708, "s", 0, "Sensor of the tests"),  # UniqueCameraModel
            (50714, "H", 1, BLACK),
            (50717, "H", 1, WHITE),
            (50721, "2i", 9, rational),  # ColorMatrix1: XYZ to the camera's colours
            (50728, "2I", 3, [1, 1, 1, 1, 1, 1]),  # AsShotNeutral
            (50778, "H", 1, 21),  # CalibrationIlluminant1: D65
        ],
    )
