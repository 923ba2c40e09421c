"""`export`: from a run folder to a model that runs without this project."""

from __future__ import annotations

import functools

from common.commands import flags, running
from common.method import Method

FLAGS = flags.FLAGS


def export(method: Method, doc: str) -> None:
    """Runs `python -m <method>.export`; doc: the module's docstring, shown by --help."""
    running.run(lambda: _export(method), functools.partial(flags.define_export, method), doc)


def _export(method):
    run_dir = running.finished_run(method.name, f"python -m {method.name}.train")
    denoiser = method.load_deployed(run_dir)
    if FLAGS.calibration:
        from common.restoring import calibration_files

        denoiser = calibration_files.load(denoiser, FLAGS.calibration, name=str(run_dir))
    output = FLAGS.output or f"models/{method.short_name}"
    name = method.name.replace(".", "_")
    if FLAGS.format == "bioimageio":
        from common.serving import bioimage

        path = bioimage.export(denoiser, output, name=name, paper=method.paper)
    elif FLAGS.format == "onnx":
        from common.serving import saved_models

        path = saved_models.export_onnx(denoiser, output)
    else:
        from common.serving import saved_models

        path = saved_models.export(denoiser, output, name=FLAGS.model_name or name)
    print(f"Exported: {path}")
