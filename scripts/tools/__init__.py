"""Programs for models and files: weights of the originals, volumes, a client of a server."""
