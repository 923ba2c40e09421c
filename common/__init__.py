"""What every restoration method here shares, one concern a file."""
