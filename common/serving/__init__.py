"""Models that run without this project: SavedModel, ONNX, BioImage zip."""
