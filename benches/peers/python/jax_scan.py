"""Task P in JAX: a whole epoch in one `lax.scan`, jitted, parameters and velocities handed
over (`donate_argnums`), batches gathered from bytes. An epoch's last batch, of another size,
is a step after the scan.

Faster, and done: weights as (outputs, inputs), vectors of 512 bits, a product where a
division would be. Tried and dropped: samples as floats; `unroll`; oneDNN; fast-math; without
XNNPACK."""

import os

import numpy as np

from common import BATCH, HIDDEN, INPUTS, MOMENTUM, OUTPUTS, RATE, floats, he, images, options, run

args = options()
# XLA makes as many threads as it may use cores, and nothing else can tell it otherwise.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_prefer_vector_width=512")

import jax
import jax.numpy as jnp
from jax import lax

rng = np.random.default_rng(args.seed)
pixels, labels = images("train")
n = len(labels)
x, y = jnp.asarray(pixels), jnp.asarray(labels, jnp.int32)
tests = jnp.asarray(floats(images("t10k")[0]))


def logits(params, x):
    w1, b1, w2, b2 = params
    return jax.nn.relu(x @ w1.T + b1) @ w2.T + b2


def loss(params, x, y):
    log_p = jax.nn.log_softmax(logits(params, x))
    return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))


def step(state, rows):
    """One step, v <- mu v + g, theta <- theta - eta v; gives the sum of the losses."""
    params, velocity = state
    batch = x[rows].astype(jnp.float32) * np.float32(1 / 255)
    value, gradient = jax.value_and_grad(loss)(params, batch, y[rows])
    velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, gradient)
    params = jax.tree.map(lambda p, v: p - RATE * v, params, velocity)
    return (params, velocity), value * rows.size


def epoch(state, order):
    """Every sample once, in this order; gives the mean loss, too."""
    whole = n - n % BATCH
    state, losses = lax.scan(step, state, order[:whole].reshape(-1, BATCH))
    state, last = step(state, order[whole:])
    return state, (losses.sum() + last) / n


def initial():
    params = [he(rng, INPUTS, HIDDEN).T, np.zeros(HIDDEN, np.float32)]
    params += [he(rng, HIDDEN, OUTPUTS).T, np.zeros(OUTPUTS, np.float32)]
    params = [jnp.asarray(param) for param in params]
    return params, [jnp.zeros_like(param) for param in params]


state = initial()
compiled = jax.jit(epoch, donate_argnums=0).lower(state, jnp.zeros(n, jnp.int32)).compile()


def train():
    global state
    losses = []
    for _ in range(args.epochs):
        state, value = compiled(state, rng.permutation(n).astype(np.int32))
        losses.append(value)
    return jax.block_until_ready((state, losses))[1]


def predict():
    return logits(state[0], tests).argmax(axis=1)


run("JAX", f"JAX {jax.__version__}", args, train, predict)
