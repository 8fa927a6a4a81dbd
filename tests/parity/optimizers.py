"""Paths of the optimizers over 100 steps, computed by PyTorch, for the parity test.

Writes optimizers.json beside this script. Run it as generate.py, whose docstring says how.

Every optimizer is given the same 100 gradients: a path then depends on nothing but the
update, and rounding is not amplified. Each of the seven parameters meets gradients of its
own kind: see draw_gradients.

Conventions, where ours and PyTorch's differ:

* Momentum: PyTorch's buffer b <- mu b + g is not multiplied by the rate; ours is v = -eta b.
  The steps are the same as long as the rate is.
* moving_average: v <- beta v + (1 - beta) g from v = 0. PyTorch's `dampening` would do it,
  but not in the first step, where its buffer is the gradient itself. It is momentum beta at
  rate (1 - beta) eta.
* rmsprop: "beta" is PyTorch's alpha.
* adamw: as in PyTorch, and unlike the paper, the decay is multiplied by the learning rate.
* Around an optimizer stand words: "cosine adam". Our schedules multiply the step, PyTorch's
  change the rate. "warm_up" over T steps is its LinearLR from 1 / T with T - 1 iterations,
  "one_cycle" its OneCycleLR with cosines and pct_start = (peak + 1) / T, without its cycle of
  the momentum. "decayed" is weight_decay of all but AdamW.
* "clipped" divides by the norm, PyTorch by the norm + 1e-6: PyTorch is given a largest norm
  that makes up for it.
* epsilon stands where PyTorch has it: outside the root; in Adam, after the bias correction.

Before anything is written, every path of an optimizer alone is compared with a second implementation, straight
from the papers, in extended precision where the machine has it.
"""

import json
import pathlib
import random
import warnings

import numpy as np
import torch

SEED = 20240608
STEPS = 100
KEPT = [1, 2, 3, 5, 10, 20, 50, 100]  # steps after which the parameters are written
OUTPUT = pathlib.Path(__file__).with_name("optimizers.json")
START = [0.5, -1.5, 1.0, 2.0, -0.75, 1.25, -2.0]


def draw_gradients():
    draw = random.Random(SEED)
    rows = []
    for t in range(STEPS):
        normal = [draw.gauss(0, 1) for _ in START]
        row = [
            normal[0],
            20 * normal[1],
            1e-9 * normal[2],  # below epsilon
            0.0,  # never any: only decay moves it
            normal[4] if t % 7 == 3 else 0.0,  # rare
            1 + 0.5 * normal[5],  # of one sign, nearly always
            normal[6] * 0.9 ** t,  # ending
        ]
        rows.append([float(f"{g:.6g}") for g in row])
    return rows


SGD, OPTIM = torch.optim.SGD, torch.optim

# Our name, our settings, and PyTorch's optimizer for the same.
CASES = [
    ("gradient_descent", {"learning_rate": 0.02}, SGD, {"lr": 0.02}),
    ("momentum", {"learning_rate": 0.01, "momentum": 0.9}, SGD, {"lr": 0.01, "momentum": 0.9}),
    ("moving_average", {"learning_rate": 0.02, "momentum": 0.8}, SGD,
     {"lr": (1 - 0.8) * 0.02, "momentum": 0.8}),
    ("nesterov", {"learning_rate": 0.01, "momentum": 0.9}, SGD,
     {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("adagrad", {"learning_rate": 0.1, "epsilon": 1e-10}, OPTIM.Adagrad,
     {"lr": 0.1, "eps": 1e-10}),
    ("adagrad", {"learning_rate": 0.5, "epsilon": 1e-2}, OPTIM.Adagrad,
     {"lr": 0.5, "eps": 1e-2}),
    ("rmsprop", {"learning_rate": 0.01, "beta": 0.9, "epsilon": 1e-8}, OPTIM.RMSprop,
     {"lr": 0.01, "alpha": 0.9, "eps": 1e-8}),
    ("rmsprop", {"learning_rate": 0.02, "beta": 0.99, "epsilon": 1e-3}, OPTIM.RMSprop,
     {"lr": 0.02, "alpha": 0.99, "eps": 1e-3}),
    ("adam", {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}, OPTIM.Adam,
     {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}),
    ("adam", {"learning_rate": 0.05, "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-2}, OPTIM.Adam,
     {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-2}),
    ("adamw", {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
               "weight_decay": 0.1}, OPTIM.AdamW,
     {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.1}),
    ("adamw", {"learning_rate": 0.05, "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-2,
               "weight_decay": 0.5}, OPTIM.AdamW,
     {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-2, "weight_decay": 0.5}),
]


ADAM = {"lr": 0.01, "betas": (0.9, 0.999), "eps": 1e-8}
OUR_ADAM = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
MOMENTUM = {"lr": 0.01, "momentum": 0.9}
OUR_MOMENTUM = {"learning_rate": 0.01, "momentum": 0.9}
RATES = torch.optim.lr_scheduler


def within(settings):
    return {f"inner.{key}": value for key, value in settings.items()}


def warm_up(steps):
    return lambda o: RATES.LinearLR(o, 1 / steps, total_iters=steps - 1)


def one_cycle(steps, peak):
    return lambda o: RATES.OneCycleLR(o, o.param_groups[0]["lr"], total_steps=steps,
                                      pct_start=(peak + 1) / steps, cycle_momentum=False)


# The same with what stands around an optimizer: a schedule, and a largest norm.
AROUND = [
    ("step momentum", {"every": 30, "factor": 0.4, **within(OUR_MOMENTUM)}, SGD, MOMENTUM,
     lambda o: RATES.StepLR(o, 30, 0.4), None),
    ("step adagrad", {"every": 7, "factor": 0.9, **within(CASES[4][1])}, *CASES[4][2:],
     lambda o: RATES.StepLR(o, 7, 0.9), None),
    ("cosine gradient_descent", {"steps": 100, **within(CASES[0][1])}, *CASES[0][2:],
     lambda o: RATES.CosineAnnealingLR(o, 100), None),
    ("cosine adamw", {"steps": 100, **within(CASES[-1][1])}, *CASES[-1][2:],
     lambda o: RATES.CosineAnnealingLR(o, 100), None),
    ("warm_up adam", {"steps": 20, **within(OUR_ADAM)}, OPTIM.Adam, ADAM, warm_up(20), None),
    ("one_cycle nesterov", {"steps": 100, "peak": 29, **within(OUR_MOMENTUM)}, SGD,
     {**MOMENTUM, "nesterov": True}, one_cycle(100, 29), None),
    ("one_cycle rmsprop", {"steps": 100, "peak": 44, **within(CASES[6][1])}, *CASES[6][2:],
     one_cycle(100, 44), None),
    ("warm_up cosine adam", {"steps": 10, **within({"steps": 100, **within(OUR_ADAM)})},
     OPTIM.Adam, ADAM,
     lambda o: RATES.ChainedScheduler([warm_up(10)(o), RATES.CosineAnnealingLR(o, 100)]), None),
    ("decayed momentum", {"weight_decay": 0.1, **within(OUR_MOMENTUM)}, SGD,
     {**MOMENTUM, "weight_decay": 0.1}, None, None),
    ("decayed adam", {"weight_decay": 0.1, **within(OUR_ADAM)}, OPTIM.Adam,
     {**ADAM, "weight_decay": 0.1}, None, None),
    ("clipped momentum", {"max_norm": 5.0, **within(OUR_MOMENTUM)}, SGD, MOMENTUM, None, 5.0),
    ("clipped decayed momentum",
     {"max_norm": 5.0, **within({"weight_decay": 0.1, **within(OUR_MOMENTUM)})}, SGD,
     {**MOMENTUM, "weight_decay": 0.1}, None, 5.0),
]


def torch_path(make, settings, gradients, schedule=None, max_norm=None):
    params = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimizer = make([params], foreach=False, **settings)
    schedule = schedule and schedule(optimizer)
    path = []
    for t, gradient in enumerate(gradients, start=1):
        params.grad = torch.tensor(gradient, dtype=torch.float64)
        if max_norm:
            norm = params.grad.norm().item()
            if norm > max_norm:
                torch.nn.utils.clip_grad_norm_([params], max_norm * (norm + 1e-6) / norm)
        optimizer.step()
        if schedule and t < STEPS:
            schedule.step()
        path.append(params.detach().tolist())
    return path


def numpy_path(name, settings, gradients):
    s = {key: np.longdouble(value) for key, value in settings.items()}
    eta, theta = s["learning_rate"], np.array(START, dtype=np.longdouble)
    v, squares = np.zeros_like(theta), np.zeros_like(theta)
    path = []
    for t, gradient in enumerate(gradients, start=1):
        g = np.array(gradient, dtype=np.longdouble)
        if name == "gradient_descent":
            theta = theta - eta * g
        elif name == "momentum":
            v = s["momentum"] * v - eta * g
            theta = theta + v
        elif name == "moving_average":
            v = s["momentum"] * v + (1 - s["momentum"]) * g
            theta = theta - eta * v
        elif name == "nesterov":
            v = s["momentum"] * v - eta * g
            theta = theta + s["momentum"] * v - eta * g
        elif name == "adagrad":
            squares = squares + g ** 2
            theta = theta - eta * g / (np.sqrt(squares) + s["epsilon"])
        elif name == "rmsprop":
            squares = s["beta"] * squares + (1 - s["beta"]) * g ** 2
            theta = theta - eta * g / (np.sqrt(squares) + s["epsilon"])
        else:
            decay = eta * s.get("weight_decay", 0) * theta
            v = s["beta1"] * v + (1 - s["beta1"]) * g
            squares = s["beta2"] * squares + (1 - s["beta2"]) * g ** 2
            v_hat, s_hat = v / (1 - s["beta1"] ** t), squares / (1 - s["beta2"] ** t)
            theta = theta - decay - eta * v_hat / (np.sqrt(s_hat) + s["epsilon"])
        path.append(theta)
    return path


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    gradients = draw_gradients()
    worst, cases = 0.0, []
    for name, ours, make, settings in CASES:
        path = torch_path(make, settings, gradients)
        cases.append({"name": name, "settings": ours, "path": [path[k - 1] for k in KEPT]})
        for ours_at, torch_at in zip(numpy_path(name, ours, gradients), path):
            at = np.array(torch_at, dtype=np.longdouble)
            worst = max(worst, float((np.abs(ours_at - at) / np.maximum(1, np.abs(at))).max()))
    for name, ours, *theirs in AROUND:
        path = torch_path(theirs[0], theirs[1], gradients, *theirs[2:])
        cases.append({"name": name, "settings": ours, "path": [path[k - 1] for k in KEPT]})
    assert worst < 1e-13, worst

    def text(value):
        return json.dumps(value, allow_nan=False, separators=(",", ":"))

    def block(rows):
        return "[\n" + ",\n".join(text(row) for row in rows) + "\n]"

    head = {"torch_version": str(torch.__version__), "dtype": "float64", "seed": SEED,
            "start": START, "kept": KEPT}
    lines = [f"{text(key)}: {text(value)}," for key, value in head.items()]
    cases = [f'{{"name": {text(case["name"])}, "settings": {text(case["settings"])}, "path": '
             + block(case["path"]) + "}" for case in cases]
    OUTPUT.write_text("{\n" + "\n".join(lines) + '\n"gradients": ' + block(gradients)
                      + ',\n"cases": [\n' + ",\n".join(cases) + "\n]\n}\n")
    json.loads(OUTPUT.read_text())
    print(f"{len(cases)} paths, {OUTPUT.stat().st_size} bytes, torch {torch.__version__}; "
          f"from torch to numpy at most {worst:.1e}")


if __name__ == "__main__":
    main()
