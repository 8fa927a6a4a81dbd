"""What Yuan's tutorial does, in code of our own: NumPy in f64 as one writes it first,
with a new array for every result. 784-64-10, sigmoid, momentum as a moving average of the
gradients at rate 4, and after every epoch all images, train and test, to see how far it is."""

import numpy as np

from common import BATCH, HIDDEN, INPUTS, MOMENTUM, OUTPUTS, images, options, run

RATE = 4.0
args = options()
rng = np.random.default_rng(args.seed)
(pixels, labels), (test_pixels, test_labels) = images("train"), images("t10k")
x, tests = pixels / 255, test_pixels / 255
y, test_y = np.eye(OUTPUTS)[labels], np.eye(OUTPUTS)[test_labels]
n = len(labels)


def layer(inputs, outputs):
    return [rng.standard_normal((inputs, outputs)) / np.sqrt(inputs), np.zeros(outputs)]


params = layer(INPUTS, HIDDEN) + layer(HIDDEN, OUTPUTS)
averages = [np.zeros_like(param) for param in params]


def forward(x):
    w1, b1, w2, b2 = params
    a = 1 / (1 + np.exp(-(x @ w1 + b1)))
    z = a @ w2 + b2
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return a, p / p.sum(axis=1, keepdims=True)


def gradients(x, y):
    a, p = forward(x)
    d_z2 = (p - y) / len(x)
    d_z1 = d_z2 @ params[2].T * a * (1 - a)
    return [x.T @ d_z1, d_z1.sum(axis=0), a.T @ d_z2, d_z2.sum(axis=0)]


def judge(x, y):
    """Loss and accuracy."""
    p = forward(x)[1]
    right = p.argmax(axis=1) == y.argmax(axis=1)
    return -np.mean(np.sum(y * np.log(p), axis=1)), right.mean()


def train():
    losses = []
    for _ in range(args.epochs):
        order = rng.permutation(n)
        shuffled_x, shuffled_y = x[order], y[order]
        for i in range(0, n, BATCH):
            batch = slice(i, i + BATCH)
            for j, g in enumerate(gradients(shuffled_x[batch], shuffled_y[batch])):
                averages[j] = MOMENTUM * averages[j] + (1 - MOMENTUM) * g
                params[j] = params[j] - RATE * averages[j]
        losses.append(judge(x, y)[0])
        judge(tests, test_y)
    return losses


def predict():
    return forward(tests)[1].argmax(axis=1)


run("Yuan's tutorial", f"NumPy {np.__version__}, f64", args, train, predict)
