"""Losses and gradients of 100 networks of layers, computed by PyTorch, for the parity test.

Writes layers.json beside this script, as generate.py does: see there for how to
run it. It reads words.json, the random words that the library draws for the layers of a
network with seed 1, which

    cargo test --test layers_parity write_the_words -- --ignored

writes: dropout can only be compared with the same units dropped.

Conventions:

* A sample is one row. An image of height x width x channels is a row of as many
  numbers, row of pixels by row of pixels, the channels of a pixel side by side.
  PyTorch has the channels first: everything is permuted on the way in and out.
* "params" and "gradient" go layer by layer. Dense: weights (inputs, units),
  biases. Convolution: weights (kernel * kernel * channels in, channels out), rows
  in the order of a patch, biases. Batch normalisation: gamma, beta.
* "loss_value" and "gradient" are those of a training step. "predictions" are
  those after the running mean and variance have taken note of that one batch,
  with the parameters as they were; without dropout.
* "statistics" are the running mean and variance of each batch normalisation.
"""

import json
import math
import pathlib
import random

import torch
import torch.nn.functional as F

from generate import torch_activation

SEED = 20261122
HERE = pathlib.Path(__file__).parent
SAMPLES = 5  # in most networks
LOSSES = ["mean_squared_error", "categorical_cross_entropy",
          "sparse_categorical_cross_entropy", "binary_cross_entropy"]
ACTIVATIONS = ["identity", "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "gelu"]


class Draw:
    def __init__(self, key):
        self.rng = random.Random(key)

    def integer(self, low, high):
        return low + int(self.rng.random() * (high - low + 1))

    def choice(self, items):
        return items[self.integer(0, len(items) - 1)]

    def normal(self, std):
        u, v = self.rng.random(), self.rng.random()
        return round(std * math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v), 6)


# ---------------------------------------------------------------------------
# Drawing a network: a list of layers, each a name and its settings.


def activation(draw):
    name = draw.choice(ACTIVATIONS)
    return name, ({"slope": 0.2} if name == "leaky_relu" else {})


def length(shape):
    return math.prod(shape)


def draw_layers(draw, index):
    """The shape of the input, and layers that fit each other."""
    kind = ["dense", "dropout", "batch_norm", "convolution", "pooling"][index % 5]
    layers, image = [], kind in ("convolution", "pooling") or index % 3 == 0
    if image:
        shape = [draw.integer(3, 6), draw.integer(3, 6), draw.integer(1, 3)]
    else:
        shape = [draw.integer(2, 6)]
    start = list(shape)

    def add(name, **settings):
        layers.append({"name": name, "numbers": settings})

    def normalise():
        add("batch_norm", momentum=draw.choice([0.1, 0.3]), epsilon=draw.choice([1e-5, 1e-3]))

    def drop():
        add("dropout", keep=draw.choice([0.5, 0.8]))

    if kind == "dropout":
        drop()
    if kind == "batch_norm" and draw.integer(0, 1):
        normalise()
    if image:
        for _ in range(draw.integer(1, 2)):
            h, w, c = shape
            kernel = draw.integer(1, min(3, h, w))
            padding = draw.integer(0, min(kernel - 1, 2))
            stride, out = draw.integer(1, 1 if kind == "pooling" else 3), draw.integer(1, 3)
            add("convolution", channels=out, kernel=kernel, stride=stride, padding=padding)
            shape = [(h + 2 * padding - kernel) // stride + 1,
                     (w + 2 * padding - kernel) // stride + 1, out]
            if kind == "batch_norm":
                normalise()
            name, state = activation(draw)
            add(name, **state)
            if kind == "dropout":
                drop()
            if kind == "pooling" and min(shape[:2]) >= 2:
                size, stride = 2, draw.integer(1, 2)
                add(["max_pool", "average_pool"][index // 5 % 2], size=size, stride=stride)
                shape = [(shape[0] - size) // stride + 1, (shape[1] - size) // stride + 1, out]
        add("flatten")
        shape = [length(shape)]
    for _ in range(draw.integer(0 if image else 1, 2)):
        shape = [draw.integer(2, 5)]
        add("dense", units=shape[0])
        if kind == "batch_norm":
            normalise()
        name, state = activation(draw)
        add(name, **state)
        if kind == "dropout":
            drop()
    return start, layers, add, kind


def finish(draw, index, add):
    """The last dense layer, the output activation, the loss."""
    loss = LOSSES[index % 4]
    if loss == "mean_squared_error":
        outputs, last = draw.integer(1, 3), draw.choice(["tanh", "softmax", "identity"])
    elif loss == "binary_cross_entropy":
        outputs, last = draw.integer(1, 3), "sigmoid"
    else:
        outputs, last = draw.integer(2, 4), "softmax"
    if last == "softmax":
        outputs = max(outputs, 2)
    add("dense", units=outputs)
    add(last)
    return loss, outputs


def targets(draw, loss, n, outputs):
    labels = [draw.integer(0, outputs - 1) for _ in range(n)]
    if loss == "sparse_categorical_cross_entropy":
        return [[float(label)] for label in labels]
    if loss == "categorical_cross_entropy":
        return [[float(k == label) for k in range(outputs)] for label in labels]
    if loss == "binary_cross_entropy":
        return [[float(draw.integer(0, 1)) for _ in range(outputs)] for _ in range(n)]
    return [[draw.normal(0.7) for _ in range(outputs)] for _ in range(n)]


# ---------------------------------------------------------------------------
# The network in PyTorch.


def parameter_count(layer, shape):
    """How many parameters a layer has, and the shape that leaves it."""
    s = layer["numbers"]
    if layer["name"] == "dense":
        return shape[0] * s["units"] + s["units"], [s["units"]]
    if layer["name"] == "convolution":
        h, w, c = shape
        side = lambda a: (a + 2 * s["padding"] - s["kernel"]) // s["stride"] + 1
        count = s["kernel"] ** 2 * c * s["channels"] + s["channels"]
        return count, [side(h), side(w), s["channels"]]
    if layer["name"] in ("max_pool", "average_pool"):
        h, w, c = shape
        side = lambda a: (a - s["size"]) // s["stride"] + 1
        return 0, [side(h), side(w), c]
    if layer["name"] == "batch_norm":
        return 2 * shape[-1], shape
    if layer["name"] == "flatten":
        return 0, [length(shape)]
    return 0, shape


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def forward(net, params, running, training):
    """What enters the last layer, and what leaves it; updates `running` in training."""
    shape = net["input"]
    x = torch.tensor(net["x"], dtype=torch.float64).reshape([-1] + shape)
    at, masks, statistics = 0, iter(net["masks"]), iter(running)
    for layer in net["layers"]:
        s, name = layer["numbers"], layer["name"]
        count, out = parameter_count(layer, shape)
        own, at, before = params[at:at + count], at + count, x
        if name == "dense":
            w, b = own[:-s["units"]], own[-s["units"]:]
            x = x @ w.reshape(shape[0], s["units"]) + b
        elif name == "convolution":
            k, c, m = s["kernel"], shape[2], s["channels"]
            w = own[:-m].reshape(k, k, c, m).permute(3, 2, 0, 1).contiguous()
            x = F.conv2d(channels_first(x), w, own[-m:], stride=s["stride"], padding=s["padding"])
            x = channels_last(x)
        elif name == "max_pool":
            x = channels_last(F.max_pool2d(channels_first(x), s["size"], s["stride"]))
        elif name == "average_pool":
            x = channels_last(F.avg_pool2d(channels_first(x), s["size"], s["stride"]))
        elif name == "flatten":
            x = x.reshape(len(x), -1)
        elif name == "dropout":
            if training:
                mask = torch.tensor(next(masks), dtype=torch.float64).reshape(x.shape)
                x = x * mask / s["keep"]
        elif name == "batch_norm":
            mean, variance = next(statistics)
            c = shape[-1]
            flat = F.batch_norm(x.reshape(-1, c), mean, variance, own[:c], own[c:],
                                training, s["momentum"], s["epsilon"])
            x = flat.reshape(x.shape)
        else:
            x = torch_activation(name, s, x)
        shape = out
    assert at == len(params)
    return before, x


def loss_of(net, z, y_hat):
    y = torch.tensor(net["y"], dtype=torch.float64)
    if net["loss"] == "mean_squared_error":
        return F.mse_loss(y_hat, y)
    if net["loss"] == "binary_cross_entropy":
        return F.binary_cross_entropy_with_logits(z, y)
    if net["loss"] == "categorical_cross_entropy":
        return F.cross_entropy(z, y)
    return F.cross_entropy(z, y[:, 0].long())


def fresh_statistics(net):
    running, shape = [], net["input"]
    for layer in net["layers"]:
        if layer["name"] == "batch_norm":
            running.append((torch.zeros(shape[-1], dtype=torch.float64),
                            torch.ones(shape[-1], dtype=torch.float64)))
        _, shape = parameter_count(layer, shape)
    return running


def mask_sizes(net):
    """The place and the width of each dropout layer."""
    shape = net["input"]
    for place, layer in enumerate(net["layers"]):
        if layer["name"] == "dropout":
            yield place, length(shape)
        _, shape = parameter_count(layer, shape)


def draw_network(index, words, attempt):
    draw = Draw(f"{SEED}/{index}/{attempt}")
    shape, layers, add, kind = draw_layers(draw, index)
    loss, outputs = finish(draw, index, add)
    n = SAMPLES if kind != "dense" else draw.integer(1, 7)
    net = {"name": f"{index + 1:03}-{kind}-{loss}", "input": shape, "layers": layers,
           "loss": loss, "x": [[draw.normal(1.0) for _ in range(length(shape))] for _ in range(n)],
           "y": targets(draw, loss, n, outputs)}
    count, at = 0, shape
    for layer in layers:
        own, at = parameter_count(layer, at)
        count += own
    net["params"] = [draw.normal(0.6) for _ in range(count)]
    keep = [layer["numbers"]["keep"] for layer in layers if layer["name"] == "dropout"]
    net["masks"] = [[[int(word < k * 2**32) for word in words[place][i * width:(i + 1) * width]]
                     for i in range(n)] for (place, width), k in zip(mask_sizes(net), keep)]
    return net


def results(net):
    params = torch.tensor(net["params"], dtype=torch.float64, requires_grad=True)
    running = fresh_statistics(net)
    z, y_hat = forward(net, params, running, training=True)
    loss = loss_of(net, z, y_hat)
    (gradient,) = torch.autograd.grad(loss, params)
    net["loss_value"], net["gradient"] = loss.item(), gradient.tolist()
    net["statistics"] = [[mean.tolist(), variance.tolist()] for mean, variance in running]
    with torch.no_grad():
        net["predictions"] = forward(net, params, running, training=False)[1].tolist()
    return gradient


def fair(net, gradient):
    """Whether every layer has its part in the gradient, and no loss is extreme."""
    at, shape = 0, net["input"]
    if not 1e-3 < net["loss_value"] < 30:
        return False
    for layer in net["layers"]:
        count, shape = parameter_count(layer, shape)
        own = gradient[at:at + count]
        # The bias before a batch normalisation does nothing: that is right.
        if count and not own.norm() > 1e-4 * gradient.norm():
            return False
        at += count
    return length(net["input"]) * len(net["x"]) <= 400 and at <= 250


def dump(networks):
    """JSON with one field per line; floats as Python's repr, which round-trips."""
    def text(value):
        return json.dumps(value, allow_nan=False, separators=(",", ":"))

    head = {"torch_version": str(torch.__version__), "dtype": "float64", "seed": SEED}
    lines = [f"{text(key)}: {text(v)}," for key, v in head.items()]
    blocks = [" {\n" + ",\n".join(f"  {text(k)}: {text(v)}" for k, v in net.items()) + "\n }"
              for net in networks]
    return "{\n" + "\n".join(lines) + '\n"networks": [\n' + ",\n".join(blocks) + "\n]\n}\n"


def main():
    torch.set_num_threads(1)
    words = json.loads((HERE / "words.json").read_text())
    networks, used = [], {}
    for index in range(100):
        for attempt in range(200):
            net = draw_network(index, words, attempt)
            if any(len(net["x"]) * width > len(words[0]) for _, width in mask_sizes(net)):
                continue
            if fair(net, results(net)):
                break
        else:
            raise RuntimeError(f"no fair network {index}")
        networks.append(net)
        for layer in net["layers"]:
            used[layer["name"]] = used.get(layer["name"], 0) + 1
    assert min(used.values()) >= 9, used
    text = dump(networks)
    assert json.loads(text)["networks"] == networks
    (HERE / "layers.json").write_text(text)
    print(f"{len(networks)} networks, {len(text)} bytes, torch {torch.__version__}: {used}")


if __name__ == "__main__":
    main()
