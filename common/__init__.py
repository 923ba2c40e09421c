"""What every restoration method here shares, one concern a file."""

VERSION = "0.1.0"
