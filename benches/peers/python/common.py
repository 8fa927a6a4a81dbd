"""What the programs in Python have in common: the digits, the options, the line of JSON."""

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np

INPUTS, HIDDEN, OUTPUTS = 784, 64, 10
BATCH = 128  # images for each step; the last step of an epoch has 96
RATE, MOMENTUM = 0.1, 0.9


def options(epochs=10):
    """What the command line asks for. `cargo xtask bench-peers` sets the environment
    variables that decide how many threads the libraries use."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=epochs)
    return parser.parse_args()


def idx(name, head):
    """The bytes of a file in IDX format, without the head."""
    path = Path(__file__).parents[3] / "data" / "mnist" / name
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=head)


def images(part):
    """Images as bytes, (n, 784), and labels, (n,); `part` is `train` or `t10k`."""
    pixels = idx(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, INPUTS)
    return pixels, idx(f"{part}-labels-idx1-ubyte.gz", 8)


def floats(pixels):
    """The bytes as f32 in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(255)


def he(rng, inputs, outputs):
    """He's initial weights, (inputs, outputs): normal, with variance 2 / inputs."""
    deviation = np.float32(np.sqrt(2 / inputs))
    return rng.standard_normal((inputs, outputs), np.float32) * deviation


def run(name, version, args, train, predict):
    """Trains, and prints what came of it. `train()` gives the mean loss of each epoch, and
    returns when all is computed; `predict()` then gives the classes of the test images."""
    start = time.perf_counter()
    losses = train()
    seconds = time.perf_counter() - start
    accuracy = float(np.mean(np.asarray(predict()) == images("t10k")[1]))
    line = {"name": name, "version": version, "threads": args.threads, "seed": args.seed}
    line |= {"seconds": seconds, "accuracy": accuracy, "losses": [float(x) for x in losses]}
    print(json.dumps(line))
