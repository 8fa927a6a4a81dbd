"""Task P in NumPy, written as well as we can: every array made once, every operation in
place, batches gathered from bytes, the classes of a batch as rows while they are few, no
gradient for the inputs, the learning rate taken into the gradient.

Tried and dropped: batches gathered from floats; a table of the 256 floats; a column of ones
for the biases; weights as (outputs, inputs); SciPy's saxpy, and its sparse matrices."""

import numpy as np
from threadpoolctl import threadpool_info

from common import BATCH, HIDDEN, INPUTS, MOMENTUM, OUTPUTS, RATE, floats, he, images, options, run

args = options()
rng = np.random.default_rng(args.seed)
pixels, labels = images("train")
n = len(labels)
tests = floats(images("t10k")[0])


def zeros(*shape):
    return np.zeros(shape, np.float32)


def layers(flat):
    """The parts of a vector with all parameters: two matrices, each with its biases."""
    sizes = [(INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, OUTPUTS), (OUTPUTS, 1)]
    ends = np.cumsum([np.prod(size) for size in sizes])
    return [part.reshape(size) for part, size in zip(np.split(flat, ends[:-1]), sizes)]


count = INPUTS * HIDDEN + HIDDEN + HIDDEN * OUTPUTS + OUTPUTS
params, gradient, velocity = (zeros(count) for _ in range(3))
w1, b1, w2, b2 = layers(params)
d_w1, d_b1, d_w2, d_b2 = layers(gradient)
w1[:], w2[:] = he(rng, INPUTS, HIDDEN), he(rng, HIDDEN, OUTPUTS)


class Buffers:
    """What is computed for a batch of b images."""

    def __init__(self, b):
        self.columns = np.arange(b)
        self.ones = np.ones(b, np.float32)
        self.bytes = np.zeros((b, INPUTS), np.uint8)
        self.x, self.a, self.z = zeros(b, INPUTS), zeros(b, HIDDEN), zeros(OUTPUTS, b)
        self.d_a, self.on = zeros(b, HIDDEN), np.zeros((b, HIDDEN), bool)
        self.row = zeros(b)


def forward(x, a, z):
    """Hidden units, (b, 64), and logits, (10, b)."""
    np.matmul(x, w1, out=a)
    np.add(a, b1, out=a)
    np.maximum(a, 0, out=a)
    np.matmul(w2.T, a.T, out=z)
    np.add(z, b2, out=z)


def one_step(order, at):
    """One step, v <- mu v + eta g, theta <- theta - v; gives the sum of the losses."""
    b, x, a, z, row = order.size, at.x, at.a, at.z, at.row
    np.take(pixels, order, axis=0, out=at.bytes, mode="clip")
    np.copyto(x, at.bytes)
    np.multiply(x, np.float32(1 / 255), out=x)
    forward(x, a, z)

    # z becomes p, the probabilities, and then eta (p - y) / b.
    np.maximum.reduce(z, axis=0, out=row)
    np.subtract(z, row, out=z)
    np.exp(z, out=z)
    np.add.reduce(z, axis=0, out=row)
    np.divide(z, row, out=z)
    y = labels[order]
    p = z[y, at.columns]
    z[y, at.columns] = p - 1
    np.multiply(z, np.float32(RATE / b), out=z)

    np.matmul(a.T, z.T, out=d_w2)
    np.add.reduce(z, axis=1, keepdims=True, out=d_b2)
    np.matmul(z.T, w2.T, out=at.d_a)
    np.greater(a, 0, out=at.on)
    np.multiply(at.d_a, at.on, out=at.d_a)
    np.matmul(x.T, at.d_a, out=d_w1)
    np.matmul(at.ones, at.d_a, out=d_b1)

    np.multiply(velocity, np.float32(MOMENTUM), out=velocity)
    np.add(velocity, gradient, out=velocity)
    np.subtract(params, velocity, out=params)
    return -np.log(p).sum()


def train():
    buffers = {b: Buffers(b) for b in {BATCH, n % BATCH}}
    losses = []
    for _ in range(args.epochs):
        order, total = rng.permutation(n), 0.0
        for i, start in enumerate(range(0, n, BATCH)):
            batch = order[start : start + BATCH]
            total += one_step(batch, buffers[batch.size])
            # Velocities decay into denormal numbers, which are slow: zero is as good. What
            # is 1e-30 now is a normal number for 175 steps more.
            if i % 100 == 99:
                velocity[np.abs(velocity) < 1e-30] = 0
        losses.append(total / n)
    return losses


def predict():
    a, z = zeros(len(tests), HIDDEN), zeros(OUTPUTS, len(tests))
    forward(tests, a, z)
    return z.argmax(axis=0)


blas = next(info for info in threadpool_info() if info["user_api"] == "blas")
kernel = f"OpenBLAS {blas['version']} {blas['architecture']}"
run("NumPy", f"NumPy {np.__version__}, {kernel}", args, train, predict)
