"""Trains the heads of the OD600 forecast from a data set written by the product, and writes the model's files.

    python train.py <data-set.parquet> <feature-schema.json> <folder> [--trials 12] [--threads 2]
                    [--parameters <training.json of an earlier search>]

Folds are grouped by batch; seeds are fixed, so the same data set gives the same files. Calibration is against the
truth of held-out batches, never against the probe.
"""

import argparse
import json
from pathlib import Path

import lightgbm as lgb
import numpy as np
import optuna
import pyarrow.parquet as parquet

from conformal import offsets, widening
from heads import FARTHEST_DEPLETION_MINUTES, QUANTILES, TARGETS, head_name
from onnx_export import to_onnx

SEED = 20261121
FOLDS = 5
PHASES = ("lag", "exponential", "decelerating", "stationary")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_set")
    parser.add_argument("schema")
    parser.add_argument("folder")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--parameters")
    options = parser.parse_args()
    table = parquet.read_table(options.data_set)
    schema = json.loads(Path(options.schema).read_text())
    data = Data(table, schema)
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)

    parameters = json.loads(Path(options.parameters).read_text())["parameters"] if options.parameters else {
        kind: search(data, target, options.trials, options.threads)
        for kind, target in (("forecast", "PT2H"), ("soft", "PT0S"), ("depletion", "depletion"))
    }
    calibration, middle, held_out, importance = {}, {}, {}, {}
    parity = {"columns": len(data.names), "rows": [], "heads": {}}
    sample = np.random.default_rng(SEED).choice(len(data.x), size=min(2000, len(data.x)), replace=False)
    sample.sort()
    probe = data.x[sample]
    for target in TARGETS:
        rows, x, z = data.rows_of(target)
        chosen = parameters[kind_of(target)]
        outside, boosters = {}, {}
        for quantile, alpha in QUANTILES:
            outside[quantile] = out_of_fold(data, rows, x, z, alpha, chosen, options.threads)
            booster = boosters[quantile] = fit(x, z, alpha, chosen, options.threads)
            name = head_name(target, quantile)
            (folder / f"{name}.onnx").write_bytes(to_onnx(booster, name, x.shape[1]))
            parity["heads"][name] = booster.predict(probe[:, : x.shape[1]]).tolist()
        phase, batch = data.phase[rows], data.batch[rows]
        # Minutes to depletion are shifted without the allowance, or the shift would take it back.
        allowance = 0.0 if target == "depletion" else data.allowance(target)[rows]
        low = np.minimum.reduce([outside[name] for name, _ in QUANTILES]) + allowance
        high = np.maximum.reduce([outside[name] for name, _ in QUANTILES])
        calibration[target] = offsets(phase, batch, low, high, z)
        middle[target] = middle_share(z, outside["p50"], data.column(f"scale:{target}")[rows])
        weights = {"p5": 1.0, "p50": middle[target], "p95": 1.0}
        importance[target] = contributions([(boosters[name], weights[name]) for name in weights], x, data.names)
        shifts = shifts_of(phase, calibration[target])
        # Coverage of each batch by heads and shifts that both had not seen it.
        crossed = np.empty((len(rows), 2))
        for held in range(FOLDS):
            out = data.fold[rows] == held
            own = offsets(phase[~out], batch[~out], low[~out], high[~out], z[~out])
            crossed[out] = shifts_of(phase[out], own)
        held_out[target] = summary(data, target, rows, phase, middle[target] * outside["p50"], low, high, shifts, crossed)

    write(folder / "calibration.json", {
        "unit": "standard deviations of the filter",
        "middle": middle,
        "offsets": calibration,
        "widening": {target: widening(one) for target, one in held_out.items()},
    })
    write(folder / "training-reference.json", reference(data))
    write(folder / "training.json", {
        "seed": SEED,
        "folds": FOLDS,
        "rows": len(data.x),
        "batches": sorted(set(data.batch.tolist())),
        "parameters": parameters,
        "heldOutByFold": held_out,
        "importance": importance,
    })
    probe.astype("<f4").tofile(folder / "parity.f32")
    write(folder / "parity.json", {"rows": len(probe), **{k: v for k, v in parity.items() if k != "rows"}})
    print(json.dumps(held_out, indent=1))


def kind_of(target: str) -> str:
    return {"PT0S": "soft", "depletion": "depletion"}.get(target, "forecast")


class Data:
    def __init__(self, table, schema):
        self.table = table
        self.names = [feature["name"] for feature in schema["features"]]
        self.soft = schema["softColumns"]
        self.x = np.column_stack([self.column(f"x:{name}").astype(np.float32) for name in self.names])
        self.batch = np.array(table.column("batch").to_pylist())
        self.phase = np.array(table.column("phase").to_pylist())
        order = np.array(sorted(set(self.batch.tolist())))
        np.random.default_rng(SEED).shuffle(order)
        fold_of = {batch: index % FOLDS for index, batch in enumerate(order)}
        self.fold = np.array([fold_of[batch] for batch in self.batch])

    def column(self, name: str) -> np.ndarray:
        return self.table.column(name).to_numpy()

    def allowance(self, target: str) -> np.ndarray:
        """How far the lower bound stands below the equations for glycerol that may be missing, in units of the head."""
        lower, base, scale = (self.column(f"{kind}:{target}") for kind in ("lower", "base", "scale"))
        return (lower - base) / scale

    def rows_of(self, target: str):
        truth, base, scale = (self.column(f"{kind}:{target}") for kind in ("true", "base", "scale"))
        rows = np.isfinite(truth) & np.isfinite(base)
        if target == "depletion":
            rows &= (truth > 0) & (truth < FARTHEST_DEPLETION_MINUTES)
        columns = self.soft if target == "PT0S" else len(self.names)
        rows = np.flatnonzero(rows)
        return rows, self.x[rows][:, :columns], ((truth - base) / scale)[rows]


def fit(x, z, alpha, parameters, threads):
    settings = {
        "objective": "quantile",
        "alpha": alpha,
        "learning_rate": parameters["learning_rate"],
        "num_leaves": parameters["num_leaves"],
        "min_data_in_leaf": parameters["min_data_in_leaf"],
        "feature_fraction": parameters["feature_fraction"],
        "lambda_l2": parameters["lambda_l2"],
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 127,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "seed": SEED,
        "verbosity": -1,
    }
    return lgb.train(settings, lgb.Dataset(x, z, free_raw_data=False), num_boost_round=parameters["trees"])


def out_of_fold(data, rows, x, z, alpha, parameters, threads):
    fold = data.fold[rows]
    result = np.empty(len(z))
    for held in range(FOLDS):
        inside = fold != held
        booster = fit(x[inside], z[inside], alpha, parameters, threads)
        result[~inside] = booster.predict(x[~inside])
    return result


def middle_share(z, predicted, scale):
    """0 to 1: the share of the middle head that held-out batches were forecast best with; 0 where it only adds noise."""
    shares = np.arange(0, 11) / 10
    return float(shares[np.argmin([np.mean(scale * np.abs(z - share * predicted)) for share in shares])])


def pinball(z, predicted, alpha):
    error = z - predicted
    return float(np.mean(np.maximum(alpha * error, (alpha - 1) * error)))


def search(data, target, trials, threads):
    """Regularisation by held-out batches; the loss is that of the three quantiles together."""
    rows, x, z = data.rows_of(target)
    thin = np.arange(0, len(rows), 2)
    rows, x, z = rows[thin], x[thin], z[thin]

    def loss(trial):
        parameters = {
            "trees": trial.suggest_int("trees", 20, 140, step=20),
            "learning_rate": 0.05,
            "num_leaves": trial.suggest_int("num_leaves", 3, 15, step=2),
            "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 200, 2000, step=300),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 0.9, step=0.2),
            "lambda_l2": trial.suggest_float("lambda_l2", 1.0, 100.0, log=True),
        }
        return sum(
            pinball(z, out_of_fold(data, rows, x, z, alpha, parameters, threads), alpha) for _, alpha in QUANTILES
        )

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    study.optimize(loss, n_trials=trials)
    return {"learning_rate": 0.05, **study.best_params, "loss": study.best_value}


def contributions(boosters, x, names):
    """Mean absolute SHAP value per feature over the heads, each by its weight, in units of a head; the fifteen largest."""
    rows = np.random.default_rng(SEED).choice(len(x), size=min(4000, len(x)), replace=False)
    total = sum(weight for _, weight in boosters)
    mean = sum(
        weight / total * np.abs(booster.predict(x[rows], pred_contrib=True)[:, :-1]).mean(axis=0)
        for booster, weight in boosters
    )
    order = np.argsort(-mean)[:15]
    return [{"feature": names[index], "meanAbsolute": float(mean[index])} for index in order]


def shifts_of(phase, shift):
    return np.array([[shift.get(one, shift["all"])[side] for side in ("lower", "upper")] for one in phase])


def summary(data, target, rows, phase, middle, low, high, shifts, crossed):
    truth, base, scale = (data.column(f"{kind}:{target}")[rows] for kind in ("true", "base", "scale"))
    z = (truth - base) / scale
    unseen = (z >= low - crossed[:, 0]) & (z <= high + crossed[:, 1])
    low = base + scale * (low - shifts[:, 0])
    high = base + scale * (high + shifts[:, 1])
    middle = base + scale * middle
    covered = (truth >= low) & (truth <= high)
    error = np.abs(middle - truth) if target == "depletion" else np.abs(np.expm1(middle - truth))
    plain = np.abs(base - truth) if target == "depletion" else np.abs(np.expm1(base - truth))
    result = {
        "error": float(error.mean()),
        "errorOfEquations": float(plain.mean()),
        "coverage": float(covered.mean()),
        "coverageUnseen": float(unseen.mean()),
        "batches": len(np.unique(data.batch[rows])),
    }
    for name in PHASES:
        here = phase == name
        if here.any():
            result[name] = {
                "error": float(error[here].mean()),
                "errorOfEquations": float(plain[here].mean()),
                "coverage": float(covered[here].mean()),
                "coverageUnseen": float(unseen[here].mean()),
                "rows": int(here.sum()),
            }
    return result


def reference(data):
    """Per phase and feature: 20 quantile bins, and the range that 99.9 % of training lay in."""
    result = {}
    for name in PHASES:
        here = data.x[data.phase == name]
        if len(here) == 0:
            continue
        features = {}
        for index, feature in enumerate(data.names):
            column = here[:, index].astype(float)
            missing = float(np.isnan(column).mean())
            column = column[np.isfinite(column)]
            if len(column) == 0:
                features[feature] = {"missing": missing}
                continue
            features[feature] = {
                "missing": missing,
                "lowest": float(np.quantile(column, 0.0005)),
                "highest": float(np.quantile(column, 0.9995)),
                "edges": np.quantile(column, np.linspace(0.05, 0.95, 19)).tolist(),
            }
        result[name] = {"rows": len(here), "features": features}
    return {"bins": 20, "phases": result}


def write(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")


if __name__ == "__main__":
    main()
