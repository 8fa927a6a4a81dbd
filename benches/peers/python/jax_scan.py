"""Task P in JAX: a whole epoch in one `lax.scan`, jitted, its parameters handed over
(`donate_argnums`). The last batch, of another size, is a step of its own.

Tried and dropped: …"""

import os

import jaxlib
import numpy as np

from common import BATCH, HIDDEN, INPUTS, MOMENTUM, OUTPUTS, RATE, floats, he, images, options, run

args = options()
# Nothing else holds XLA to one core: it makes as many threads as it may use cores.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])

import jax
import jax.numpy as jnp
from jax import lax

MODE = os.environ.get("MODE", "u8")
rng = np.random.default_rng(args.seed)
pixels, labels = images("train")
n = len(labels)
x = jnp.asarray(pixels if MODE == "u8" else floats(pixels))
y = jnp.asarray(labels, jnp.int32)
tests = jnp.asarray(floats(images("t10k")[0]))


def logits(params, x):
    w1, b1, w2, b2 = params
    return jax.nn.relu(x @ w1 + b1) @ w2 + b2


def loss(params, x, y):
    log_p = jax.nn.log_softmax(logits(params, x))
    return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))


def step(state, rows):
    params, velocity = state
    batch = x[rows]
    if MODE == "u8": batch = batch.astype(jnp.float32) / 255
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


def start():
    params = [he(rng, INPUTS, HIDDEN), np.zeros(HIDDEN, np.float32)]
    params += [he(rng, HIDDEN, OUTPUTS), np.zeros(OUTPUTS, np.float32)]
    params = [jnp.asarray(param) for param in params]
    return params, [jnp.zeros_like(param) for param in params]


state = start()
example = jnp.asarray(rng.permutation(n), jnp.int32)
compiled = jax.jit(epoch, donate_argnums=0).lower(state, example).compile()
PERM = os.environ.get("PERM", "np")

def train():
    global state
    losses = []
    for _ in range(args.epochs):
        order = jnp.asarray(rng.permutation(n).astype(np.int32))
        state, value = compiled(state, order)
        losses.append(value)
    jax.block_until_ready((state, losses))
    return losses


def predict():
    return logits(state[0], tests).argmax(axis=1)


run("JAX", f"JAX {jax.__version__}", args, train, predict)
