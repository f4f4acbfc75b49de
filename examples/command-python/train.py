#!/usr/bin/python3
"""A trainer of one's own for hone: a network with one hidden layer, in NumPy, written with the onnx package.

    train.py [options] train --data DIR --out DIR --seed N [--previous FILE]
    train.py [options] eval MODEL HOLDOUT OUT.npy

docs/trainers.md of hone has the contract. Needs Debian's python3-numpy and python3-onnx.
"""

import argparse
import json
import pathlib
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {"uint8": TensorProto.UINT8, "int8": TensorProto.INT8, "int16": TensorProto.INT16, "int32": TensorProto.INT32,
         "float32": TensorProto.FLOAT}
WEIGHTS = ("w1", "b1", "w2", "b2")
FIGURE_MIN = -5.0  # of a row: one that is wildly wrong must not decide for all


def read(folder: pathlib.Path):
    """The description, x as [rows, elements] of floats after scaling, and y with -1 where nobody told."""
    described = json.loads((folder / "dataset.json").read_text())
    signal = described["signal"]
    shards = [(np.load(folder / shard["x"]), np.load(folder / shard["y"])) for shard in described["shards"]]
    if not shards:
        raise SystemExit("there are no rows")
    x = np.concatenate([part for part, _ in shards])
    y = np.concatenate([part for _, part in shards])
    return signal, x.reshape(len(x), -1), y


def scaled(signal: dict, x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32) * np.float32(signal["scale"])


def forward(weights: dict, x: np.ndarray):
    hidden = np.maximum(x @ weights["w1"] + weights["b1"], 0)
    scores = hidden @ weights["w2"] + weights["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    odds = np.exp(scores)
    return hidden, odds / odds.sum(axis=1, keepdims=True)


def fresh(rng, inputs: int, hidden: int, outputs: int) -> dict:
    def layer(rows, columns):
        return rng.normal(0, (2 / rows) ** 0.5, (rows, columns)).astype(np.float32)
    return {"w1": layer(inputs, hidden), "b1": np.zeros(hidden, np.float32),
            "w2": layer(hidden, outputs), "b2": np.zeros(outputs, np.float32)}


def previous(path, wanted: dict):
    """The weights of the deployed model when it is one of ours and of the same shape; else None."""
    if path is None:
        return None
    try:
        graph = onnx.load(path).graph
    except Exception:  # whatever was deployed before, it is no reason not to train
        return None
    found = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    if any(name not in found or found[name].shape != wanted[name].shape for name in WEIGHTS):
        return None
    return {name: found[name].astype(np.float32) for name in WEIGHTS}


def fit(weights: dict, rng, x, y, check_x, check_y, options) -> float:
    """Adam on the cross-entropy; returns the accuracy on the rows that were kept apart, and says how it goes."""
    first = {name: np.zeros_like(value) for name, value in weights.items()}
    second = {name: np.zeros_like(value) for name, value in weights.items()}
    step = 0
    accuracy = 0.0
    for epoch in range(1, options.epochs + 1):
        losses = []
        order = rng.permutation(len(x))
        for begin in range(0, len(order), options.batch):
            rows = order[begin:begin + options.batch]
            hidden, odds = forward(weights, x[rows])
            right = odds[np.arange(len(rows)), y[rows]]
            losses.append(-np.log(np.maximum(right, 1e-12)).mean())
            odds[np.arange(len(rows)), y[rows]] -= 1
            back = (odds @ weights["w2"].T) * (hidden > 0)
            gradients = {"w2": hidden.T @ odds, "b2": odds.sum(axis=0), "w1": x[rows].T @ back, "b1": back.sum(axis=0)}
            step += 1
            for name, gradient in gradients.items():
                gradient /= len(rows)
                first[name] += 0.1 * (gradient - first[name])
                second[name] += 0.001 * (gradient * gradient - second[name])
                move = (first[name] / (1 - 0.9 ** step)) / (np.sqrt(second[name] / (1 - 0.999 ** step)) + 1e-8)
                weights[name] -= np.float32(options.rate) * move.astype(np.float32)
        accuracy = float((forward(weights, check_x)[1].argmax(axis=1) == check_y).mean())
        print(f"progress {epoch / options.epochs:.3f} epoch {epoch} loss {np.mean(losses):.5f} metric {accuracy:.5f}",
              flush=True)
    return accuracy


def write_model(path: pathlib.Path, signal: dict, weights: dict):
    """x [N, ...shape] -> Cast -> Mul scale -> Flatten -> Gemm -> Relu -> Gemm -> scores [N, labels]: what devices run."""
    tensors = [numpy_helper.from_array(weights[name], name) for name in WEIGHTS]
    tensors.append(numpy_helper.from_array(np.float32(signal["scale"]).reshape(()), "scale"))
    nodes = [helper.make_node("Cast", ["x"], ["floats"], to=TensorProto.FLOAT),
             helper.make_node("Mul", ["floats", "scale"], ["scaled"]),
             helper.make_node("Flatten", ["scaled"], ["flat"], axis=1),
             helper.make_node("Gemm", ["flat", "w1", "b1"], ["hidden"]),
             helper.make_node("Relu", ["hidden"], ["active"]),
             helper.make_node("Gemm", ["active", "w2", "b2"], ["scores"])]
    graph = helper.make_graph(
        nodes, "train.py",
        [helper.make_tensor_value_info("x", TYPES[signal["dtype"]], ["N", *signal["shape"]])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", len(signal["labels"])])], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def train(options):
    signal, raw, y = read(options.data)
    # A row's content says on which side it stands, so that it stays there when the data grows.
    apart = np.array([zlib.crc32(row.tobytes()) % 10 == 0 for row in raw])
    labelled = y >= 0
    if not (labelled & apart).any() or not (labelled & ~apart).any():
        raise SystemExit("there are too few labelled rows to fit on some and check on others")
    x = scaled(signal, raw)
    rng = np.random.default_rng(options.seed)
    weights = fresh(rng, x.shape[1], options.hidden, len(signal["labels"]))
    warm = previous(options.previous, weights)
    print("starts from the deployed model" if warm else "starts from scratch", flush=True)
    weights = warm or weights
    fit_on, check_on = labelled & ~apart, labelled & apart
    accuracy = fit(weights, rng, x[fit_on], y[fit_on], x[check_on], y[check_on], options)
    write_model(options.out / "model.onnx", signal, weights)
    (options.out / "metrics.json").write_text(json.dumps(
        {"validation_metric": accuracy, "rows_fitted": int(fit_on.sum()), "rows_checked": int(check_on.sum()),
         "warm_start": warm is not None}))


def evaluate(options):
    """The figure of a row: the logarithm of the probability that its label was given, no lower than FIGURE_MIN.

    A model of another program or recipe cannot be asked without a runtime: it gets FIGURE_MIN everywhere, so that it is no
    hurdle for the first model of this one.
    """
    signal, raw, y = read(options.holdout)
    graph = onnx.load(options.model).graph
    found = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    figures = np.full(len(y), FIGURE_MIN)
    if all(name in found for name in WEIGHTS):
        _, odds = forward(found, scaled(signal, raw))
        given = odds[np.arange(len(y)), np.maximum(y, 0)]
        figures = np.maximum(np.log(np.maximum(given.astype(np.float64), 1e-12)), FIGURE_MIN)
    # Nobody told: a guess, whatever the model. So these rows tell no two models apart, and they do not meet the goal.
    figures[y < 0] = -np.log(len(signal["labels"]))
    np.save(options.figures, figures)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.002)
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("train")
    verb.add_argument("--data", type=pathlib.Path, required=True)
    verb.add_argument("--out", type=pathlib.Path, required=True)
    verb.add_argument("--seed", type=int, required=True)
    verb.add_argument("--previous", type=pathlib.Path)
    verb.set_defaults(run=train)
    verb = verbs.add_parser("eval")
    verb.add_argument("model", type=pathlib.Path)
    verb.add_argument("holdout", type=pathlib.Path)
    verb.add_argument("figures", type=pathlib.Path)
    verb.set_defaults(run=evaluate)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
