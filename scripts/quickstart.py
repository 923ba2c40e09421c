"""From a fresh clone to restored photographs: python3 -m scripts.quickstart [RUN_DIR]

Makes .venv, installs the project, restores two photographs with a model that comes along (seconds),
then trains a blind-spot network on noisy versions of six others (minutes), and restores the two
with that. All photographs come with scikit-image.
"""

import sys

from scripts import installing


def main():
    """Installs, restores, trains, restores."""
    if len(sys.argv) > 2 or any(word.startswith("-") for word in sys.argv[1:]):
        sys.exit(__doc__)
    run_dir = sys.argv[1] if sys.argv[1:] else "runs/quickstart"
    first = f"{run_dir}-photo"
    installing.install()
    noisy = ["--noise=gauss25", f"--output={first}/pictures"]
    installing.run("noise2x", "evaluate", "n2n", "--model=photo", *noisy)
    print(f"\nLook at {first}/pictures/contact_sheet.png. Your own noisy picture:")
    print(f"  {installing.BIN / 'noise2x'} denoise --model=photo PHOTO\n", flush=True)
    trained = f"--run_dir={run_dir}"
    installing.run("noise2x", "train", "ssdn", trained, "--resume")
    installing.run("noise2x", "evaluate", "ssdn", trained, f"--output={run_dir}/pictures")
    print(f"\nLook at {run_dir}/pictures/contact_sheet.png. Your own picture, noise of sigma 25:")
    print(f"  {installing.BIN / 'noise2x'} denoise PHOTO --std {trained}")


if __name__ == "__main__":
    main()
