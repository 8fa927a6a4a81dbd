"""Task P in scikit-learn, as near as its MLPClassifier comes: the initial weights are
Glorot's, and every step also counts the loss."""

import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from common import BATCH, HIDDEN, MOMENTUM, RATE, floats, images, options, run

args = options()
pixels, labels = images("train")
x = floats(pixels)
tests = floats(images("t10k")[0])
# Ten epochs are what we ask for, whether the loss still falls or not.
warnings.simplefilter("ignore", ConvergenceWarning)
classifier = MLPClassifier(
    hidden_layer_sizes=(HIDDEN,),
    activation="relu",
    solver="sgd",
    alpha=0.0,
    batch_size=BATCH,
    learning_rate_init=RATE,
    momentum=MOMENTUM,
    nesterovs_momentum=False,
    max_iter=args.epochs,
    tol=0.0,
    n_iter_no_change=args.epochs,
    shuffle=True,
    random_state=args.seed,
)


def train():
    classifier.fit(x, labels)
    return classifier.loss_curve_


run("scikit-learn", f"scikit-learn {sklearn.__version__}", args, train,
    lambda: classifier.predict(tests))
