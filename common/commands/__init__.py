"""The commands of every method: train, evaluate, denoise, export."""

from common.commands.denoise import denoise
from common.commands.evaluate import evaluate
from common.commands.export import export
from common.commands.train import TrainingRun, train

__all__ = ["TrainingRun", "denoise", "evaluate", "export", "train"]
