#!/usr/bin/env bash
# From a fresh clone to a denoised photograph: makes .venv, installs, trains a blind-spot denoiser on
# the photographs that come with scikit-image, and restores two that it has not seen.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
install ""

run_dir="${1:-runs/quickstart}"
.venv/bin/python -m ssdn_tf.train --run_dir="$run_dir" --resume
.venv/bin/python -m ssdn_tf.evaluate --run_dir="$run_dir" --output="$run_dir/pictures"
echo
echo "Look at $run_dir/pictures/contact_sheet.png. Your own noisy picture, noise of about sigma 25:"
echo "  .venv/bin/python -m ssdn_tf.denoise --run_dir=$run_dir --input=PHOTO --output=restored"
