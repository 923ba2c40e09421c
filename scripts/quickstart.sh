#!/usr/bin/env bash
# From a fresh clone to a denoised photograph: makes .venv, installs the project, trains a blind-spot
# denoiser on the photographs that come with scikit-image, and restores two others.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
install ""

run_dir="${1:-runs/quickstart}"
.venv/bin/noise2x train ssdn --run_dir="$run_dir" --resume
.venv/bin/noise2x evaluate ssdn --run_dir="$run_dir" --output="$run_dir/pictures"
echo
echo "Look at $run_dir/pictures/contact_sheet.png. Your own noisy picture, noise of about sigma 25:"
echo "  .venv/bin/noise2x denoise PHOTO --std --run_dir=$run_dir"
