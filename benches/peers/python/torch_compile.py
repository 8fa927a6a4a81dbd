"""Task P in PyTorch, a whole step compiled: gathering, loss, gradient by `torch.func`, update.

Tried and dropped: only the model and its loss compiled, or these and the optimizer (twice
the time: the way back is then called from Python); `max-autotune`; samples that stay bytes
until a batch is gathered."""

import numpy as np
import torch
from torch.nn import functional, init

from common import BATCH, HIDDEN, INPUTS, MOMENTUM, OUTPUTS, RATE, floats, images, options, run

args = options()
torch.set_num_threads(args.threads)
torch.set_flush_denormal(True)
torch.manual_seed(args.seed)
pixels, labels = images("train")
n = len(labels)
x, y = torch.from_numpy(floats(pixels)), torch.from_numpy(labels.astype(np.int64))
tests = torch.from_numpy(floats(images("t10k")[0]))


def layer(inputs, outputs):
    weights = init.kaiming_normal_(torch.empty(outputs, inputs), nonlinearity="relu")
    return [weights, torch.zeros(outputs)]


def logits(params, x):
    w1, b1, w2, b2 = params
    return functional.linear(functional.relu(functional.linear(x, w1, b1)), w2, b2)


def loss(params, x, y):
    return functional.cross_entropy(logits(params, x), y)


@torch.compile(dynamic=False)
def step(params, velocity, rows):
    """One step; gives the sum of the losses."""
    batch = x.index_select(0, rows), y.index_select(0, rows)
    gradient, value = torch.func.grad_and_value(loss)(params, *batch)
    for p, v, g in zip(params, velocity, gradient):
        v.mul_(MOMENTUM).add_(g)
        p.sub_(v, alpha=RATE)
    return value * len(rows)


def initial():
    params = layer(INPUTS, HIDDEN) + layer(HIDDEN, OUTPUTS)
    return params, [torch.zeros_like(p) for p in params]


@torch.no_grad()
def train():
    losses = []
    for _ in range(args.epochs):
        total = sum(step(*state, rows) for rows in torch.randperm(n).split(BATCH))
        losses.append(total.item() / n)
    return losses


def predict():
    return logits(state[0], tests).argmax(dim=1)


# Compiled before the clock starts, for both sizes of a batch.
with torch.no_grad():
    for size in (BATCH, n % BATCH, BATCH):
        step(*initial(), torch.arange(size))
state = initial()
run("torch.compile", f"PyTorch {torch.__version__}", args, train, predict)
