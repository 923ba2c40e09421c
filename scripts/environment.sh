# Sourced by quickstart.sh and test.sh. Defines the function `install EXTRAS`, for instance
# install "[test]": it makes .venv if it is missing, and installs the project into it. The variable
# PYTHON names another interpreter than python3.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"

install() {
    if ! [ -x .venv/bin/python ]; then
        echo "Making .venv ..."
        "${PYTHON:-python3}" -m venv .venv || {
            rm -rf .venv
            echo "error: no usable python3 with venv; set PYTHON=/path/to/python3.11" >&2
            exit 1
        }
    fi
    # The stamp file prevents that a second run asks the package index again.
    local stamp=".venv/.installed${1//[^a-z]/-}"
    if ! [ "$stamp" -nt setup.cfg ]; then
        echo "Installing into .venv (TensorFlow is large: a minute or more) ..."
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".$1" || exit 1
        touch "$stamp"
    fi
}
