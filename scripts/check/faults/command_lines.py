"""Random flags of every command: one line for what is wrong, and no traceback."""

import re
import subprocess

from common.files import image_files
from noise2x import cli, methods

VALUES = ("", "-1", "0", "1", "2", "3.5", "nan", "inf", "1e400", "none", "abc", "gauss25", "gauss")
VALUES += ("a,b", "64x64", "1,2,3", "true", "é", "../x", "sample", "%s", "[", "YX", "TZYXC", "{}")
PROGRAMS = ("scripts.tools.noise", "scripts.tools.import_weights", "scripts.tools.denoise_volume")
PROGRAMS += ("scripts.check.compare_tiles", "scripts.check.check_export", "scripts.tools.ship")
PROGRAMS += (
    "scripts.data.make_hdf5",
    "scripts.data.make_tfrecords",
    "scripts.data.make_mri_dataset",
)
SECONDS = 20.0  # a command that still works then, because its flags made sense, is told to stop
LEFT_ALONE = ("debug",)  # shows the traceback that is looked for here


def modules():
    """The commands that are tried, and what each needs to be short if its flags make sense."""
    named = {program: [] for program in PROGRAMS}
    for method in methods.NAMES:
        restore = "restore" if method in cli.RESTORE else "denoise"
        named[f"{method}.train"] = ["--train_set=in"]
        for verb in ("evaluate", "export", restore):
            named[f"{method}.{verb}"] = []
    for verb in ("evaluate", "export", "denoise"):  # these get farther, for there is a model
        named[f"n2n_tf.{verb}"] = ["--model=photo"]
    return named


def fuzz(count, output, watch, rng, commands):
    """Runs commands with one or two flags of random values, in a folder with an image."""
    folder = output / "commands"
    noisy = rng.integers(0, 256, (48, 40, 3)).astype("uint8")
    (folder / "in").mkdir(parents=True)
    image_files.write(folder / "in" / "a.png", noisy)
    named = modules()
    flags = {}
    codes = {}
    for number in range(count):
        module = str(rng.choice(list(named)))
        if module not in flags:
            text = commands.run(module, ["--help"]).stdout
            flags[module] = [
                flag
                for flag in re.findall(r"^  --(?:\[no\])?(\w+):", text, re.MULTILINE)
                if flag not in LEFT_ALONE
            ]
        arguments = list(named[module])
        for flag in rng.choice(flags[module], int(rng.integers(1, 3))):
            arguments.append(f"--{flag}={rng.choice(VALUES)}")
        if rng.random() < 0.5:
            arguments.append(str(rng.choice(["in", "in/a.png", "nowhere", "", "*.png"])))
        label = f"{number}: python -m {module} {' '.join(map(repr, arguments))}"
        watch.inputs += 1
        stop = ("SIGTERM", SECONDS)
        try:
            done = commands.run(module, arguments, cwd=folder, timeout=3 * SECONDS, sent=stop)
        except subprocess.TimeoutExpired:
            watch.hang(label)
            continue
        codes[done.returncode] = codes.get(done.returncode, 0) + 1
        if "Traceback" in done.stderr or done.returncode not in (0, 1, 2, 143):
            watch.trace(f"{label}: exit code {done.returncode}\n{done.stderr[-3000:]}")
        elif done.returncode in (1, 2) and not re.search(r"error: \S", done.stderr):
            watch.fail(f"{label}: exit code {done.returncode} without a message\n{done.stderr}")
    ends = ", ".join(f"{times} with exit code {code}" for code, times in sorted(codes.items()))
    print(f"command lines: {count} run, {ends}.", flush=True)
