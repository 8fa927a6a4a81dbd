"""Reads a network that Gradus saved, with NumPy alone, and predicts digits with it.

    python3 read_model.py MODEL DATA NUMBER ...

MODEL is the file that `cargo run --bin chapter05` saved, DATA the folder with MNIST, each
NUMBER a test image, counted from 0.
"""

import gzip
import json
import pathlib
import sys

import numpy as np


# ANCHOR: read_model
def read_model(path):
    """The description of the network, and its tensors by name."""
    content = pathlib.Path(path).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    # 64 digits of checksum, a space, and the description in JSON.
    gradus = json.loads(header.pop("__metadata__")["gradus"][65:])
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        dtype = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
        numbers = np.frombuffer(content[begin:end], dtype)
        tensors[name] = numbers.reshape(entry["shape"])
    return gradus["description"], tensors
# ANCHOR_END: read_model


# ANCHOR: predict
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


HIDDEN = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}


def predict(description, tensors, x):
    """The probabilities of the classes: (n, inputs) -> (n, outputs)."""
    hidden = HIDDEN[description["hidden"]["name"]]
    last = len(description["sizes"]) - 2
    for i in range(last + 1):
        z = x @ tensors[f"weights.{i}"] + tensors[f"biases.{i}"]
        x = softmax(z) if i == last else hidden(z)
    return x
# ANCHOR_END: predict


def read_idx(folder, name, header):
    """The bytes of an IDX file, plain or gzipped, without its header."""
    plain = pathlib.Path(folder) / name
    content = plain.read_bytes() if plain.exists() else gzip.open(f"{plain}.gz").read()
    return np.frombuffer(content, np.uint8, offset=header)


def main(model, data, *numbers):
    description, tensors = read_model(model)
    print("layers:", description["sizes"], description["hidden"]["name"])
    images = read_idx(data, "t10k-images-idx3-ubyte", 16).reshape(-1, 784)
    labels = read_idx(data, "t10k-labels-idx1-ubyte", 8)
    rows = [int(number) for number in numbers]
    y_hat = predict(description, tensors, images[rows] * np.float32(1 / 255))
    for row, p in zip(rows, y_hat):
        k = p.argmax()
        print(f"digit {row}: predicted {k} with probability {p[k]:.4f}, label {labels[row]}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
