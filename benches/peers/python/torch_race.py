"""The way to 98 % in PyTorch, compiled as in `torch_compile.py`: 784-128-10, label smoothing
0.05, Nesterov's momentum, and a rate that rises on a straight line for a tenth of all steps,
and falls on another to 0; 4 epochs."""

import numpy as np
import torch
from torch.nn import functional, init

from common import BATCH, INPUTS, MOMENTUM, OUTPUTS, floats, images, options, run

HIDDEN, SMOOTHING, PEAK = 128, 0.05, 0.3
args = options(epochs=4)
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
    return functional.cross_entropy(logits(params, x), y, label_smoothing=SMOOTHING)


@torch.compile(dynamic=False)
def step(params, velocity, rows, rate):
    """One step, v <- mu v + g, theta <- theta - eta (g + mu v); gives the sum of the losses."""
    batch = x.index_select(0, rows), y.index_select(0, rows)
    gradient, value = torch.func.grad_and_value(loss)(params, *batch)
    for p, v, g in zip(params, velocity, gradient):
        v.mul_(MOMENTUM).add_(g)
        p.sub_(rate * (g + MOMENTUM * v))
    return value * len(rows)


def initial():
    params = layer(INPUTS, HIDDEN) + layer(HIDDEN, OUTPUTS)
    return params, [torch.zeros_like(p) for p in params]


steps = -(-n // BATCH)
t, top = torch.arange(args.epochs * steps), args.epochs * steps / 10
rates = PEAK * torch.minimum(t / top, (len(t) - t) / (len(t) - top))


@torch.no_grad()
def train():
    losses = []
    for of_epoch in rates.split(steps):
        batches = zip(torch.randperm(n).split(BATCH), of_epoch)
        total = sum(step(*state, rows, rate) for rows, rate in batches)
        losses.append(total.item() / n)
    return losses


def predict():
    return logits(state[0], tests).argmax(dim=1)


# Compiled before the clock starts, for both sizes of a batch.
with torch.no_grad():
    for size in (BATCH, n % BATCH, BATCH):
        step(*initial(), torch.arange(size), rates[0])
state = initial()
run("torch.compile", f"PyTorch {torch.__version__}", args, train, predict)
