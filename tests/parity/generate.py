"""Gradients of 56 small networks, computed by PyTorch, for the parity test.

Writes networks.json beside this script. Run it with:

    python3 -m venv venv
    venv/bin/pip install torch==2.15.0 numpy==2.4.6
    venv/bin/python tests/parity/generate.py

It uses the CPU only, in 64-bit floats, on one thread, and takes some seconds.
Other versions of torch should do as well; the one used is written in the file.
The inputs depend on SEED alone (they are rounded to six decimals, so that no
library's last bit matters). The last digits of the results may differ from one
machine to another: compare to 1e-12 of the gradient's norm, not bit by bit.

Conventions:

* Rows are samples. Layer i: z_i = a_{i-1} W_i + b_i, W_i of shape
  (fan_in, fan_out).
* "params" and "gradient": all weights, layer by layer, each row-major; then
  all biases, layer by layer.
* The hidden activation acts on all layers but the last, the output activation
  on the last. "gelu" is the exact one (erf).
* "loss_value" is the mean over samples of the per-sample loss. Per sample,
  mean squared error and binary cross-entropy are means over the outputs;
  categorical cross-entropy is the sum over the classes of -y ln p.
* For sparse_categorical_cross_entropy, "y" has one column, the label.

Before anything is written, every loss, prediction and gradient is compared
with a second implementation (numpy, no automatic differentiation, extended
precision where the machine has it), and that one with central differences.
"""

import json
import math
import pathlib
import random

import numpy as np
import torch
import torch.nn.functional as F

SEED = 20240607  # change it, and every network changes
OUTPUT = pathlib.Path(__file__).with_name("networks.json")

MSE = "mean_squared_error"
BCE = "binary_cross_entropy"
CCE = "categorical_cross_entropy"
SPARSE = "sparse_categorical_cross_entropy"

HIDDEN = ["identity", "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "gelu"]

# ---------------------------------------------------------------------------
# The list of cases: seven hidden activations, eight output and loss pairs.

# The pairs that take a different form from one hidden activation to the next,
# in the order of HIDDEN: the outputs and kind of targets for binary
# cross-entropy, and the elementwise output activation for mean squared error.
BINARY_FORMS = [(1, "soft"), (3, "hard"), (1, "hard"), (3, "soft"),
                (1, "soft"), (3, "hard"), (3, "soft")]
COMPOSED_FORMS = ["one_hot", "soft", "one_hot", "soft", "one_hot", "soft", "one_hot"]
ELEMENTWISE = ["sigmoid", "softplus", "tanh", "gelu", "relu", "sigmoid", "tanh"]
LEAKY_SLOPES = [0.01, 0.2, 0.1, 0.01, 0.3, 0.05, 0.01, 0.25]

# Weights of standard deviation 5 and, unless the targets are soft, every other
# sample confidently wrong; "underflow" asks besides for a sample whose right
# answer gets a probability under exp(-745), zero in 64-bit floats, though the
# loss is not infinite.
LARGE = {
    ("identity", "sparse"): "underflow",
    ("relu", "one_hot"): "large",
    ("relu", "binary"): "underflow",
    ("leaky_relu", "binary"): "large",
    ("sigmoid", "sparse"): "large",
    ("tanh", "one_hot"): "large",
    ("tanh", "binary"): "large",
    ("softplus", "sparse"): "large",
    ("gelu", "one_hot"): "underflow",
    ("gelu", "soft"): "large",
}

# Sizes that are given, not drawn: single layers (whose hidden activation has
# nothing to act on), widths above 16, and layers one unit wide.
SIZES = {
    ("identity", "one_hot"): [10, 12],
    ("leaky_relu", "sparse"): [7, 5],
    ("sigmoid", "binary"): [9, 3],
    ("softplus", "regression"): [6, 4],
    ("gelu", "elementwise"): [8, 7],
    ("identity", "soft"): [18, 22, 6],
    ("relu", "sparse"): [20, 33, 9],
    ("leaky_relu", "regression"): [17, 24, 18, 5],
    ("sigmoid", "one_hot"): [6, 40, 3],
    ("tanh", "regression"): [25, 19, 1],
    ("softplus", "softmax_mse"): [5, 28, 17, 4],
    ("gelu", "binary"): [19, 21, 3],
    ("gelu", "sparse"): [8, 12, 20],
    ("relu", "regression"): [1, 9, 1],
    ("sigmoid", "regression"): [3, 1, 2],
    ("tanh", "soft"): [2, 1, 5, 1, 4],
}


def cases():
    """The 56 cases, each a dictionary."""
    for h, hidden in enumerate(HIDDEN):
        m, binary_targets = BINARY_FORMS[h]
        pairs = [
            ("one_hot", "softmax", CCE, "one_hot", None),
            ("soft", "softmax", CCE, "soft_distribution", None),
            ("sparse", "softmax", SPARSE, "labels", None),
            ("binary", "sigmoid", BCE, binary_targets, m),
            ("softmax_mse", "softmax", MSE, "one_hot", None),
            ("softmax_bce", "softmax", BCE, COMPOSED_FORMS[h], None),
            ("regression", "identity", MSE, "real", None),
            ("elementwise", ELEMENTWISE[h], MSE, "in_range", None),
        ]
        for p, (kind, output, loss, targets, outputs) in enumerate(pairs):
            index = 8 * h + p
            large = LARGE.get((hidden, kind))
            parts = [f"{index + 1:02}", hidden, output, loss]
            if targets not in ("labels", "real", "in_range"):
                parts.append(targets)
            if large:
                parts.append(large)
            yield {
                "name": "-".join(parts),
                "index": index,
                "hidden": hidden,
                "state": {"slope": LEAKY_SLOPES[p]} if hidden == "leaky_relu" else {},
                "output": output,
                "loss": loss,
                "targets": targets,
                "outputs": outputs,
                "large": large,
                "sizes": SIZES.get((hidden, kind)),
            }


# ---------------------------------------------------------------------------
# Random inputs, from random.random() only: the one draw that Python promises
# to keep the same from version to version.


class Draw:
    def __init__(self, key):
        self.rng = random.Random(key)

    def uniform(self, low, high):
        return round(low + (high - low) * self.rng.random(), 6)

    def integer(self, low, high):
        """From low to high, both included."""
        return low + int(self.rng.random() * (high - low + 1))

    def normal(self, std):
        u, v = self.rng.random(), self.rng.random()
        return round(std * math.sqrt(-2 * math.log(1 - u)) * math.cos(2 * math.pi * v), 6)

    def normals(self, rows, columns, std):
        return [[self.normal(std) for _ in range(columns)] for _ in range(rows)]

    def distribution(self, m):
        """m probabilities, in 1024ths, so that their sum is exactly one."""
        cuts = sorted(self.integer(0, 1024) for _ in range(m - 1))
        return [(b - a) / 1024 for a, b in zip([0] + cuts, cuts + [1024])]


def draw_sizes(case, draw):
    if case["sizes"]:
        return case["sizes"]
    if case["large"]:
        layers = 3 if case["large"] == "underflow" else 2
    else:
        layers = draw.integer(2, 4)
    least = 2 if case["output"] == "softmax" else 1
    last = case["outputs"] or draw.integer(least, 12)
    return [draw.integer(1, 12) for _ in range(layers)] + [last]


def draw_targets(case, draw, z):
    """Targets for the last layer's pre-activations z, one row per sample."""
    n, m = z.shape
    kind = case["targets"]
    if kind == "soft_distribution":
        return [draw.distribution(m) for _ in range(n)]
    if kind in ("labels", "one_hot"):
        labels = [draw.integer(0, m - 1) for _ in range(n)]
        if case["large"]:  # every other sample is as wrong as it can be
            labels[::2] = [int(k) for k in z.argmin(axis=1)[::2]]
        if kind == "labels":
            return [[label] for label in labels]
        return [[float(k == label) for k in range(m)] for label in labels]
    if kind == "hard":
        y = [[float(draw.integer(0, 1)) for _ in range(m)] for _ in range(n)]
        if case["large"]:
            y[::2] = [[float(v < 0) for v in row] for row in z[::2]]
        return y
    if kind == "soft":
        return [[draw.uniform(0.02, 0.98) for _ in range(m)] for _ in range(n)]
    if kind == "real":
        return draw.normals(n, m, 2.0)
    assert kind == "in_range"
    low, high = {"sigmoid": (0, 1), "tanh": (-1, 1), "softplus": (0, 3),
                 "relu": (0, 3), "gelu": (-0.1, 3)}[case["output"]]
    return [[draw.uniform(low, high) for _ in range(m)] for _ in range(n)]


# ---------------------------------------------------------------------------
# The network in PyTorch.


def split(params, sizes):
    """The weights and the biases in the flat vector of parameters."""
    weights, biases, at = [], [], 0
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        weights.append(params[at:at + fan_in * fan_out].reshape(fan_in, fan_out))
        at += fan_in * fan_out
    for fan_out in sizes[1:]:
        biases.append(params[at:at + fan_out])
        at += fan_out
    assert at == len(params)
    return weights, biases


def torch_softplus(z):
    # F.softplus turns into the identity above its threshold; this one doesn't.
    return torch.logaddexp(z, torch.zeros_like(z))


def torch_activation(name, state, z):
    return {
        "identity": lambda: z,
        "relu": lambda: F.relu(z),
        "leaky_relu": lambda: F.leaky_relu(z, state.get("slope")),
        "sigmoid": lambda: torch.sigmoid(z),
        "tanh": lambda: torch.tanh(z),
        "softplus": lambda: torch_softplus(z),
        "gelu": lambda: F.gelu(z, approximate="none"),
        "softmax": lambda: F.softmax(z, dim=1),
    }[name]()


def torch_loss(net, z, prediction):
    """The loss: from the last pre-activations z wherever there is a logarithm."""
    if net["loss"] == SPARSE:
        return F.cross_entropy(z, torch.tensor(net["y"])[:, 0])
    y = torch.tensor(net["y"], dtype=torch.float64)
    if net["loss"] == CCE:
        return F.cross_entropy(z, y)
    if net["loss"] == BCE and net["output"] == "sigmoid":
        return F.binary_cross_entropy_with_logits(z, y)
    if net["loss"] == BCE and net["output"] == "softmax":
        # ln(1 - p_j) is the logarithm of the sum of the other classes' shares.
        m = z.shape[1]
        others = z[:, None, :].expand(-1, m, m).masked_fill(
            torch.eye(m, dtype=torch.bool), -math.inf)
        log_rest = others.logsumexp(dim=2) - z.logsumexp(dim=1, keepdim=True)
        return -(y * F.log_softmax(z, dim=1) + (1 - y) * log_rest).mean()
    assert net["loss"] == MSE
    return F.mse_loss(prediction, y)


def torch_forward(net, params):
    """All pre-activations, and the prediction."""
    weights, biases = split(params, net["sizes"])
    a = torch.tensor(net["x"], dtype=torch.float64)
    z = []
    for i, (w, b) in enumerate(zip(weights, biases)):
        z.append(a @ w + b)
        last = i + 1 == len(weights)
        a = torch_activation(net["output"] if last else net["hidden"],
                             {} if last else net["hidden_state"], z[-1])
    return z, a


def torch_results(net):
    params = torch.tensor(net["params"], dtype=torch.float64, requires_grad=True)
    z, prediction = torch_forward(net, params)
    loss = torch_loss(net, z[-1], prediction)
    (gradient,) = torch.autograd.grad(loss, params)
    return loss.item(), prediction.tolist(), gradient.tolist()


# ---------------------------------------------------------------------------
# The same in numpy, the derivatives written by hand: the second opinion.

REAL = np.longdouble  # 64 bits of precision on x86, 53 where there is no more
PI = REAL("3.14159265358979323846264338327950288")


def erf(t):
    # 2/sqrt(pi) exp(-t^2) sum of 2^n t^(2n+1) / (2n+1)!!: no cancellation.
    inside = np.clip(t, -7, 7)
    term, total = inside.copy(), inside.copy()
    for n in range(1, 250):
        term = term * 2 * inside * inside / (2 * n + 1)
        total = total + term
    value = 2 / np.sqrt(PI) * np.exp(-inside * inside) * total
    return np.where(np.abs(t) >= 7, np.sign(t), value)


def logistic(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def log_one_plus_exp(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def log_softmax(z):
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def numpy_activation(name, state, z):
    """The values of an elementwise activation, and its derivatives."""
    one = np.ones_like(z)
    if name == "identity":
        return z, one
    if name == "relu":
        return np.where(z > 0, z, 0 * z), np.where(z > 0, one, 0 * z)
    if name == "leaky_relu":
        slope = REAL(state["slope"])
        return np.where(z > 0, z, slope * z), np.where(z > 0, one, slope * one)
    if name == "sigmoid":
        return logistic(z), logistic(z) * logistic(-z)
    if name == "tanh":
        return np.tanh(z), 4 * logistic(2 * z) * logistic(-2 * z)
    if name == "softplus":
        return log_one_plus_exp(z), logistic(z)
    assert name == "gelu"
    share = (1 + erf(z / np.sqrt(REAL(2)))) / 2
    return z * share, share + z * np.exp(-z * z / 2) / np.sqrt(2 * PI)


def numpy_output(net, z):
    """Loss, prediction and the loss's derivatives with respect to z."""
    n, m = z.shape
    if net["loss"] == SPARSE:
        y = np.eye(m, dtype=REAL)[[row[0] for row in net["y"]]]
    else:
        y = np.array(net["y"], dtype=REAL)

    if net["loss"] in (CCE, SPARSE):
        p = np.exp(log_softmax(z))
        loss = -(y * log_softmax(z)).sum() / n
        return loss, p, (p * y.sum(axis=1, keepdims=True) - y) / n
    if net["loss"] == BCE and net["output"] == "sigmoid":
        # -ln s(z) = ln(1 + e^-z) and -ln(1 - s(z)) = ln(1 + e^z).
        loss = (y * log_one_plus_exp(-z) + (1 - y) * log_one_plus_exp(z)).mean()
        return loss, logistic(z), (logistic(z) - y) / (n * m)

    if net["output"] == "softmax":
        p = np.exp(log_softmax(z))
    else:
        p, slope = numpy_activation(net["output"], {}, z)
    if net["loss"] == MSE:
        loss, by_p = ((p - y) ** 2).mean(), 2 * (p - y) / (n * m)
    else:
        loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
        by_p = ((1 - y) / (1 - p) - y / p) / (n * m)
    if net["output"] == "softmax":
        jacobian = np.eye(m) * p[:, :, None] - p[:, :, None] * p[:, None, :]
        return loss, p, (jacobian * by_p[:, :, None]).sum(axis=1)
    return loss, p, by_p * slope


def numpy_results(net, params=None):
    params = np.array(net["params"] if params is None else params, dtype=REAL)
    weights, biases = split(params, net["sizes"])
    inputs, slopes, a = [], [], np.array(net["x"], dtype=REAL)
    for i, (w, b) in enumerate(zip(weights, biases)):
        inputs.append(a)
        z = a @ w + b
        if i + 1 < len(weights):
            a, slope = numpy_activation(net["hidden"], net["hidden_state"], z)
            slopes.append(slope)
    loss, prediction, delta = numpy_output(net, z)
    by_weights, by_biases = [], []
    for i in reversed(range(len(weights))):
        by_weights.insert(0, (inputs[i].T @ delta).ravel())
        by_biases.insert(0, delta.sum(axis=0))
        if i > 0:
            delta = (delta @ weights[i].T) * slopes[i - 1]
    return loss, prediction, np.concatenate(by_weights + by_biases)


def central_differences(net, h=REAL("1e-6")):
    params = np.array(net["params"], dtype=REAL)
    slopes = []
    for k in range(len(params)):
        up, down = params.copy(), params.copy()
        up[k] += h
        down[k] -= h
        slopes.append((numpy_results(net, up)[0] - numpy_results(net, down)[0]) / (2 * h))
    return np.array(slopes)


# ---------------------------------------------------------------------------
# Drawing one network: again until it is a fair test.


def fair(case, net, z):
    """Whether the pre-activations z suit the case."""
    # No kink of relu near enough to matter.
    with_kink = z[:-1] if net["hidden"] in ("relu", "leaky_relu") else []
    if net["output"] == "relu":
        with_kink = with_kink + z[-1:]
    if any(np.abs(layer).min() < 1e-4 for layer in with_kink):
        return False
    last = z[-1]
    if case["large"]:
        # How sure the network is of its answers for the samples it gets wrong.
        if net["output"] == "softmax":
            sure = (last.max(axis=1) - last.min(axis=1))[::2].max()
        else:
            sure = np.abs(last)[::2].max()
        return 760 < sure < 3000 if case["large"] == "underflow" else 40 < sure < 500
    if net["output"] == "softmax" and net["loss"] == BCE:
        # ln(1 - p), composed with p, loses the digits that p shares with 1.
        exact = np.exp(log_softmax(last))
        return exact.max() < 0.995
    if net["loss"] == MSE and net["output"] in ("softmax", "sigmoid", "tanh"):
        return np.abs(last).max() < 15  # not flat everywhere
    if net["output"] in ("softmax", "sigmoid"):
        return np.abs(last).max() < 60
    return np.abs(last).max() < 1000


def draw_network(case):
    for attempt in range(400):
        draw = Draw(f"{SEED}/{case['name']}/{attempt}")
        sizes = draw_sizes(case, draw)
        n = draw.integer(4 if case["large"] else 1, 17)
        # From 0.1 to 2, and smaller again the longer no network was fair.
        std = 5.0 if case["large"] else 0.1 * 20 ** draw.uniform(0, 1)
        if not case["large"]:
            std = max(0.1, std * 0.8 ** (attempt // 5))
        count = sum(a * b + b for a, b in zip(sizes, sizes[1:]))
        net = {
            "name": case["name"],
            "sizes": sizes,
            "hidden": case["hidden"],
            "hidden_state": case["state"],
            "output": case["output"],
            "loss": case["loss"],
            "x": draw.normals(n, sizes[0], 1.0),
            "y": None,
            "params": [draw.normal(std) for _ in range(count)],
        }
        z, _ = torch_forward(net, torch.tensor(net["params"], dtype=torch.float64))
        z = [layer.numpy() for layer in z]
        if not fair(case, net, z):
            continue
        net["y"] = draw_targets(case, draw, z[-1])
        net["loss_value"], net["predictions"], net["gradient"] = torch_results(net)
        # Every layer must have its part in the gradient (no layer of dead
        # units), or the comparison would not see it.
        by_weights, by_biases = split(np.array(net["gradient"]), sizes)
        norm = np.linalg.norm(net["gradient"])
        if all(np.linalg.norm(g) > 1e-4 * norm for g in by_weights + by_biases):
            return net, std
    raise RuntimeError(f"no fair network for {case['name']}")


# ---------------------------------------------------------------------------


def distance(a, b):
    """Of a from b, as a share of the norm of b."""
    a, b = np.array(a, dtype=REAL).ravel(), np.array(b, dtype=REAL).ravel()
    return float(np.sqrt(((a - b) ** 2).sum()) / np.sqrt((b ** 2).sum()))


def check_softplus():
    """logaddexp(z, 0) and its derivative, in 64 bits, near 0 and far out."""
    z = torch.cat([torch.linspace(-60, 60, 2401, dtype=torch.float64),
                   torch.tensor([-1000.0, -745.0, 745.0, 1000.0], dtype=torch.float64)])
    z.requires_grad_(True)
    value = torch_softplus(z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    exact = np.array(z.tolist(), dtype=REAL)
    for got, want in [(value, log_one_plus_exp(exact)), (slope, logistic(exact))]:
        got = np.array(got.tolist(), dtype=REAL)
        assert np.all(np.abs(got - want) <= 1e-14 * want + 1e-300)


def check(net):
    """Torch's results against numpy's; the gradient's distance."""
    loss, prediction, gradient = numpy_results(net)
    assert abs(net["loss_value"] - loss) <= 1e-13 * abs(loss), net["name"]
    assert distance(net["predictions"], prediction) < 1e-13, net["name"]
    away = distance(net["gradient"], gradient)
    assert away < 1e-13, (net["name"], away)
    return away


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
    check_softplus()
    networks, worst = [], 0.0
    for case in cases():
        net, std = draw_network(case)
        away = check(net)
        worst = max(worst, away)
        networks.append(net)
        print(f"{net['name']:72} {'-'.join(map(str, net['sizes'])):14} n={len(net['x']):2} "
              f"std={std:.2f} loss={net['loss_value']:<10.4g} {away:.1e}")

    # Central differences: for each pair of a hidden activation and a loss, the
    # network with the fewest parameters, unless its loss is large.
    chosen = {}
    for net in networks:
        if net["loss_value"] < 20:
            key = net["hidden"], net["loss"]
            if key not in chosen or len(net["params"]) < len(chosen[key]["params"]):
                chosen[key] = net
    chosen = [net for net in chosen.values() if len(net["params"]) < 150]
    far = max(distance(central_differences(net), net["gradient"]) for net in chosen)
    assert far < 1e-7, far

    assert len(networks) == 56
    text = dump(networks)
    assert json.loads(text)["networks"] == networks
    OUTPUT.write_text(text)
    print(f"{len(networks)} networks, {len(text)} bytes, torch {torch.__version__}; from torch "
          f"to numpy at most {worst:.1e}, to central differences of {len(chosen)} networks "
          f"at most {far:.1e}")


if __name__ == "__main__":
    main()
