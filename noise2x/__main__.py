"""`python -m noise2x` is the command `noise2x`."""

from noise2x.cli import main

if __name__ == "__main__":
    main()
