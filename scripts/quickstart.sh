#!/usr/bin/env bash
# From a fresh clone to denoised photographs: makes .venv, installs the project, restores two
# photographs with a model that comes along (seconds), then trains a blind-spot denoiser on six others
# from scikit-image (minutes), and restores the two with that.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
install ""

run_dir="${1:-runs/quickstart}"
.venv/bin/noise2x evaluate n2n --model=photo --noise=gauss25 --output="$run_dir-photo/pictures"
echo "Look at $run_dir-photo/pictures/contact_sheet.png. Your own noisy picture:"
echo "  .venv/bin/noise2x denoise --model=photo PHOTO"
echo
.venv/bin/noise2x train ssdn --run_dir="$run_dir" --resume
.venv/bin/noise2x evaluate ssdn --run_dir="$run_dir" --output="$run_dir/pictures"
echo
echo "Look at $run_dir/pictures/contact_sheet.png. Your own noisy picture, noise of about sigma 25:"
echo "  .venv/bin/noise2x denoise PHOTO --std --run_dir=$run_dir"
