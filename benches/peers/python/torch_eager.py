"""Task P in PyTorch, operation by operation.

Recommended for speed, and done: gradients set to none and not to zero (the default),
denormal numbers flushed, the optimizer's operations over all parameters at once (`foreach`).
Tried and dropped: the fused optimizer; samples that stay bytes until a batch is gathered."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from common import BATCH, HIDDEN, INPUTS, MOMENTUM, OUTPUTS, RATE, floats, images, options, run

args = options()
torch.set_num_threads(args.threads)
torch.set_flush_denormal(True)
torch.manual_seed(args.seed)
pixels, labels = images("train")
n = len(labels)
x, y = torch.from_numpy(floats(pixels)), torch.from_numpy(labels.astype(np.int64))
tests = torch.from_numpy(floats(images("t10k")[0]))

model = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, OUTPUTS))
for layer in (model[0], model[2]):
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, foreach=True)


def step(rows):
    """One step; gives the sum of the losses."""
    loss = functional.cross_entropy(model(x.index_select(0, rows)), y.index_select(0, rows))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach() * len(rows)


def train():
    losses = []
    for _ in range(args.epochs):
        total = sum(step(rows) for rows in torch.randperm(n).split(BATCH))
        losses.append(total.item() / n)
    return losses


@torch.no_grad()
def predict():
    return model(tests).argmax(dim=1)


run("PyTorch eager", f"PyTorch {torch.__version__}", args, train, predict)
