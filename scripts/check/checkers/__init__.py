"""The comparisons of `crosscheck`: a checker, a small function, for each family of golden files.

A checker takes (arrays, meta) of a golden file and yields rows, see `comparing.Row`. The tolerances
are those that the golden files state in their meta.
"""

import fnmatch

from scripts.check.checkers import dbsn, n2n, n2v, rdunet, shared, ssdn

CHECKERS = {
    "ssdn_backbone_*": ssdn.check_backbone,
    "ssdn_pipeline_*": ssdn.check_pipeline,
    "ssdn_simple_pipeline": ssdn.check_simple_pipeline,
    "comp6248_unet": ssdn.check_comp6248,
    "n2n_unet": n2n.check_network,
    "mri": n2n.check_mri,
    "rdunet": rdunet.check_network,
    "dbsn_*": dbsn.check_all,
    "n2v_unet_*": n2v.check_network,
    "n2v_masking": n2v.check_masking,
    "lr_schedules": shared.check_schedules,
    "psnr": shared.check_psnr,
    "noise_stats": shared.check_noise,
}


def find(name):
    """The checker of a golden file, by its name; None if there is none."""
    for pattern, checker in CHECKERS.items():
        if fnmatch.fnmatch(name, pattern):
            return checker
    return None
