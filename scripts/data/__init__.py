"""Programs that fetch images and write training files."""
