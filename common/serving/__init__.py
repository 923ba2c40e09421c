"""Exporting models that run without this project: SavedModel, ONNX, BioImage zip."""
