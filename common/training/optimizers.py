"""Adam as the originals use it, and Muon; where a gradient is not finite, both leave a step out."""

from __future__ import annotations

import contextlib
import functools
import math
import typing
from collections.abc import Iterator

import keras
from keras import ops

from common.training import schedules

if typing.TYPE_CHECKING:
    from common.networks.base import Denoiser

# schedule=fast: shares of the training; docs/performance.md has what was compared.
FAST_WARM_UP = 0.02
FAST_AVERAGE = 0.02

# Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon): momentum, and the
# coefficients of its Newton-Schulz iterations.
MUON_MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
# How often the iteration is done before X X^T is computed anew, and after it.
ITERATIONS = (3, 2)
# Root mean square of a step at rate 1, that of Adam's (Liu et al. 2025, arXiv:2502.16982).
MUON_STEP = 0.2
# Kernels with fewer rows or columns have Adam's steps.
MUON_SMALLEST = 16


class Adam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015), beta 0.9 and 0.99, epsilon 1e-8 outside the bias correction.

    beta_1 may be a function of the step, as the learning rate may.

    When any gradient holds a NaN or an infinity, weights and moments stay as they are for that
    step; the step still counts.

    With `average` above 0 it also keeps a moving average of the weights, in `averages`: after step
    t, average * d + weight * (1 - d) with d = min(average, t / (t + 9)), so that the random initial
    weights soon have no share in it. `average` may be a function of the step too. The weights
    themselves are trained as without it, and the average also moves in a step that leaves them as
    they are.
    """

    def __init__(self, learning_rate, *, beta_1=0.9, beta_2=0.99, epsilon=1e-8, average=0.0):
        first = 0.9 if callable(beta_1) else beta_1
        super().__init__(learning_rate, beta_1=first, beta_2=beta_2, epsilon=epsilon, name="adam")
        self._beta_1_of = beta_1 if callable(beta_1) else lambda step: beta_1
        self._factors = {}  # of the rate, by a variable's index; see set_factor
        self._share = None  # of an update that is made: 1, or 0 where a gradient is not finite
        self._average = average
        self._average_of = average if callable(average) else lambda step: average

    def build(self, variables):
        """Makes the moments, and the averages if there are any."""
        super().build(variables)
        self.averages = []
        if self._average:
            # Among the optimiser's variables, they are part of a run's state.
            self.averages = [self.add_variable_from_reference(v, name="average") for v in variables]
            for average, variable in zip(self.averages, variables):
                # A copy: JAX may not be given one array as the value of two variables.
                average.assign(ops.copy(ops.convert_to_tensor(variable)))

    def set_factor(self, factor, variables):
        """Trains variables at `factor` times the learning rate in the steps from now on.

        0 leaves them, and their moments, as they are, whatever their gradients. A graph that was
        traced before keeps to the factors of then.
        """
        self._factors |= {self._get_variable_index(variable): factor for variable in variables}

    def _factor_of(self, variable):
        if not self._factors:
            return 1.0
        # By index: TensorFlow's variable comes in place of Keras'.
        return self._factors.get(self._get_variable_index(variable), 1.0)

    def apply(self, grads, trainable_variables=None):
        # A variable that had no part in the loss has no gradient in TensorFlow, and 0 in JAX.
        pairs = [
            (gradient, variable)
            for gradient, variable in zip(grads, trainable_variables or self._trainable_variables)
            if gradient is not None and self._factor_of(variable)
        ]
        grads, variables = zip(*pairs)
        # One sum instead of many comparisons: it is finite only if every term is.
        total = sum(ops.sum(ops.cast(g, "float32") * 0.0) for g in grads)
        finite = ops.isfinite(total)
        self._share = ops.cast(finite, "float32")
        # One selection a gradient instead of one for each weight and moment.
        grads = [ops.where(finite, g, 0.0) for g in grads]
        super().apply(self._prepared(grads, variables), list(variables))
        if not self._average:
            return
        step = ops.cast(self.iterations, "float32")
        kept = ops.minimum(self._average_of(step), step / (step + 9.0))
        for average, variable in zip(self.averages, self._trainable_variables):
            new = ops.convert_to_tensor(variable)
            self.assign(average, new + (average - new) * ops.cast(kept, new.dtype))

    def _prepared(self, grads, variables):
        """What `update_step` is given in place of the gradients, which are finite."""
        return grads

    def _rate_of(self, variable, learning_rate):
        """The rate of a variable in this step: 0 where a gradient is not finite."""
        rate, share = (ops.cast(value, variable.dtype) for value in (learning_rate, self._share))
        return share * rate * self._factor_of(variable)

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        share = ops.cast(self._share, dtype)
        step = ops.cast(self.iterations + 1, dtype)
        beta_1 = ops.cast(self._beta_1_of(self.iterations), dtype)
        rate = self._rate_of(variable, learning_rate)
        rate = rate * ops.sqrt(1 - self.beta_2**step) / (1 - beta_1**step)
        gradient = ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        first, second = self._momentums[index], self._velocities[index]
        new_first = first + (gradient - first) * (share * (1 - beta_1))
        new_second = second + (ops.square(gradient) - second) * (share * (1 - self.beta_2))
        self.assign(first, new_first)
        self.assign(second, new_second)
        self.assign(variable, variable - rate * new_first / (ops.sqrt(new_second) + self.epsilon))


class Muon(Adam):
    """Adam whose steps of large kernels are orthogonal matrices (Muon, Jordan et al. 2024).

    A kernel of the shape [..., rows, columns] is a matrix [... * rows, columns]. Its step is the
    orthogonal matrix nearest to its Nesterov momentum, so that a training does not wait for
    directions in which gradients are small. It has the root mean square of Adam's steps, and one
    rate serves both.

    Biases, and kernels with fewer than `MUON_SMALLEST` rows or columns, such as those of a last
    layer, have Adam's steps. Keras' own Muon leaves the kernels of convolutions to Adam.
    docs/performance.md has what it brings.
    """

    def build(self, variables):
        """Makes the state of Adam, so that a checkpoint of either loads into the other."""
        super().build(variables)
        self._kernels = {i for i, v in enumerate(variables) if min(_sides(v)) >= MUON_SMALLEST}

    def _prepared(self, grads, variables):
        """Advances the momenta of kernels, and gives their steps at rate 1 for their gradients."""
        prepared, of_sides = list(grads), {}
        for i, variable in enumerate(variables):
            if self._get_variable_index(variable) in self._kernels:
                of_sides.setdefault(_sides(variable), []).append(i)
        for sides, members in of_sides.items():
            matrices = []
            for i in members:
                momentum = self._momentums[self._get_variable_index(variables[i])]
                gradient = ops.cast(grads[i], momentum.dtype)
                share = ops.cast(self._share, momentum.dtype)
                new = momentum + (gradient - momentum) * (share * (1 - MUON_MOMENTUM))
                self.assign(momentum, new)
                ahead = gradient + (new - gradient) * MUON_MOMENTUM
                matrices.append(ops.reshape(ahead, sides))
            steps = orthogonalized(ops.stack(matrices)) * (MUON_STEP * max(sides) ** 0.5)
            for i, step in zip(members, ops.unstack(steps, len(members))):
                prepared[i] = ops.reshape(step, variables[i].shape)
        return prepared

    def update_step(self, gradient, variable, learning_rate):
        """Moves a variable; `gradient` is what `_prepared` gave, for kernels a step."""
        if self._get_variable_index(variable) not in self._kernels:
            super().update_step(gradient, variable, learning_rate)
            return
        self.assign(variable, variable - self._rate_of(variable, learning_rate) * gradient)


def _sides(kernel):
    """(rows, columns) of the matrix that a kernel is."""
    *rows, columns = tuple(kernel.shape) or (1,)
    return math.prod(rows), columns


def orthogonalized(matrices):
    """Sets the singular values of matrices to about 1, 0.7 to 1.2, by Newton-Schulz iterations.

    X -> a X + b (X X^T) X + c (X X^T)^2 X, five times, the coefficients those of Jordan et al.
    2024. What X is multiplied by is a polynomial of X X^T, and X X^T follows from it, so most
    products are of the shorter side alone. X X^T is computed anew once on the way: rounding grows
    twelvefold with every iteration, and a GPU rounds such products to 10 bits.

    Args:
        matrices: [k, rows, columns].

    Returns:
        [k, rows, columns]. Singular values below 1e-3 of the root of the sum of their squares stay
        below half, and zeros stay zeros.
    """
    turned = matrices.shape[1] > matrices.shape[2]
    x = ops.transpose(matrices, (0, 2, 1)) if turned else matrices
    # Not smaller: the squares of values below 1e-19 are 0, and the quotient would not be small.
    x = x / (ops.sqrt(ops.sum(ops.square(x), axis=(1, 2), keepdims=True)) + 1e-9)
    for count in ITERATIONS:
        x = _iterated(x, count)
    return ops.transpose(x, (0, 2, 1)) if turned else x


def _iterated(x, count):
    """X after `count` Newton-Schulz iterations."""
    a, b, c = NEWTON_SCHULZ
    one = ops.eye(x.shape[1], dtype=x.dtype)
    gram = x @ ops.transpose(x, (0, 2, 1))
    factors = []
    for _ in range(count):
        if factors:
            gram = factors[-1] @ gram @ factors[-1]
        factors.append(a * one + b * gram + c * (gram @ gram))
    return functools.reduce(lambda product, factor: factor @ product, factors) @ x


def ramped_rate(config, **ramps) -> schedules.Ramped:
    """The learning rate of a configuration, ramped up and down.

    ramps: ramp_up, ramp_down, shares of the training, of schedules.Ramped.
    """
    return schedules.Ramped(
        num_images=config.num_images,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        **ramps,
    )


def ramped_adam(config, **ramps) -> Adam:
    """The optimiser of Laine et al. 2019: Adam under `ramped_rate`."""
    return Adam(ramped_rate(config, **ramps))


def fast(config) -> Adam:
    """The optimiser of `schedule=fast`: a rate that falls all the time, and averaged weights."""
    corners = config.share_corners()
    rate = schedules.Cosine(config.learning_rate, warm_up=FAST_WARM_UP, corners=corners)
    kind = {"adam": Adam, "muon": Muon}[config.optimizer]
    return kind(rate, average=schedules.Forgetting(FAST_AVERAGE, corners=corners))


@contextlib.contextmanager
def averaged(denoiser: Denoiser) -> Iterator[None]:
    """Gives a denoiser the moving average of its weights for a while, if its optimiser keeps one.

    It is what is validated and what restores images; the training goes on from the weights.
    """
    optimizer = getattr(denoiser, "optimizer", None)  # imported models have none
    averages = getattr(optimizer, "averages", [])
    variables = denoiser.trainable_variables if averages else []
    trained = [ops.copy(ops.convert_to_tensor(variable)) for variable in variables]
    try:
        for variable, average in zip(variables, averages, strict=bool(averages)):
            variable.assign(ops.copy(ops.convert_to_tensor(average)))
        yield
    finally:
        for variable, value in zip(variables, trained):
            variable.assign(value)
