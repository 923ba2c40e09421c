"""Training in several processes, on one machine or many: Keras' own way, on JAX.

Every process runs the same command with another index. Each takes its share of every batch; the
gradients are those of the whole batch, so weights and losses are those of one process.
"""

import dataclasses
import re

import keras


@dataclasses.dataclass(frozen=True)
class Cluster:
    """address: HOST:PORT of process 0; count: of processes; index: of this one."""

    address: str = ""
    count: int = 1
    index: int = 0

    @property
    def writes(self):
        """Whether this process writes the run folder; one of them does."""
        return self.index == 0

    def join(self, batch_size):
        """Waits for the others. To be called before Keras computes anything.

        Raises:
            ValueError: not on JAX, or batches that can't be shared evenly.
        """
        if self.count == 1:
            return
        if keras.backend.backend() != "jax":
            raise ValueError("cluster: training in several processes needs KERAS_BACKEND=jax.")
        if batch_size % self.count:
            raise ValueError(f"batch_size={batch_size}: expected a multiple of {self.count}.")
        keras.distribution.initialize(self.address, self.count, self.index)
        parallel = keras.distribution.DataParallel(auto_shard_dataset=False)
        keras.distribution.set_distribution(parallel)

    def share(self, batches):
        """Batches, a data set of (x, y), as the parts of them that are this process's."""
        if self.count == 1:
            return batches

        def part(values):
            def cut(value):
                size = value.shape[0] // self.count
                return value[self.index * size : (self.index + 1) * size]

            return {name: cut(value) for name, value in values.items()}

        return batches.map(lambda x, y: (part(x), part(y)))


def parse(text):
    """HOST:PORT,COUNT,INDEX as a Cluster; of None one process. Raises ValueError."""
    if text is None:
        return Cluster()
    match = re.fullmatch(r"([^,\s]+:\d+),(\d+),(\d+)", text)
    if not match or not int(match[3]) < int(match[2]):
        raise ValueError(
            f"cluster={text!r}: expected HOST:PORT,COUNT,INDEX with INDEX from 0 to COUNT - 1, as "
            "localhost:9000,2,0."
        )
    return Cluster(match[1], int(match[2]), int(match[3]))
