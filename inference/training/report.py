"""The validation report: one HTML page without outside references, from the rows and figures of `judge`.

    python report.py <work folder> <card.json> <report.html>
"""

import base64
import html
import io
import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

PHASES = ("lag", "exponential", "decelerating", "stationary")
HORIZONS = ("PT30S", "PT30M", "PT1H", "PT2H")
COLOURS = dict(zip(PHASES, ("#4477aa", "#228833", "#ccbb44", "#aa3377")))


def main() -> None:
    work, card_path, out = (Path(one) for one in sys.argv[1:4])
    card = json.loads(card_path.read_text())
    figures = {name: json.loads((work / f"{name}.json").read_text()) for name in ("realistic", "kind", "sealed")}
    faults = json.loads((work / "faults.json").read_text())
    training = json.loads((work / "model" / "training.json").read_text())
    rows = Rows(work / "realistic.ndjson")
    out.write_text(page(work, card, figures, faults, training, rows))


class Rows:
    """The rows of an evaluation as columns; one in four windows is enough for pictures."""

    def __init__(self, path: Path, every: int = 4):
        kept = {}
        with path.open() as lines:
            for index, line in enumerate(lines):
                row = json.loads(line)
                if row["measured"] is None and (index // 5) % every:
                    continue
                kept.setdefault(row["horizon"], []).append(row)
        self.rows = kept

    def of(self, horizon):
        rows = [row for row in self.rows.get(horizon, []) if row["p50"] is not None and row["trueValue"] is not None]
        column = lambda name: np.array([row[name] for row in rows], dtype=float)
        return {
            "p5": column("p5"),
            "p50": column("p50"),
            "p95": column("p95"),
            "truth": column("trueValue"),
            "measured": np.array([np.nan if row["measured"] is None else row["measured"] for row in rows], dtype=float),
            "hours": column("hoursSinceInoculation"),
            "phase": np.array([row["phase"] for row in rows]),
            "batch": np.array([row["batch"] for row in rows]),
        }


def page(work, card, figures, faults, training, rows):
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        f"<title>Validation report {html.escape(card['modelId'])} {html.escape(card['version'])}</title>",
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}"
        "table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #bbb;padding:.2rem .6rem;text-align:right}"
        "td:first-child,th:first-child{text-align:left}.no{color:#b00020;font-weight:600}img,svg{max-width:100%}"
        "caption{text-align:left;font-weight:600;padding:.4rem 0}</style>",
        f"<h1>Validation report: {html.escape(card['modelId'])} {html.escape(card['version'])}</h1>",
        f"<p>{html.escape(card['intendedUse'])}</p>",
        f"<p>Model hash <code>{card['modelHash']}</code><br>feature schema <code>{card['featureSchemaHash']}</code></p>",
        f"<p class=no>Share of synthetic data: training {100 * card['syntheticShare']['training']:.0f} %, test 100 %. "
        "No real batch has judged this model yet.</p>",
        f"<p>Judged on {figures['realistic']['batches']} batches of fresh simulated campaigns (numbers 16 to 18, realistic "
        f"measurement scenario), {figures['kind']['batches']} in the kind scenario, and the sealed set of "
        f"{figures['sealed']['batches']} batches ({card['sealedReads']} looks over all versions). The truth is the simulation's own OD600, without noise.</p>",
        "<h2>Gates and goals</h2>",
        gates(card),
        "<h2>By phase as seen at issue</h2>",
        phases(figures),
        "<h2>The sealed set, batch by batch</h2>",
        by_batch(Rows(work / "sealed.ndjson", every=1)),
        "<h2>Predicted against true and measured</h2>",
        picture(predicted(rows)),
        "<h2>Residuals by time and phase</h2>",
        picture(residuals(rows)),
        "<h2>Coverage of the 90 % interval</h2>",
        f"<p>{html.escape(card['interval'])}</p>",
        coverage(figures, training, rows, card["intervalWidth"]),
        picture(coverage_by_batch(rows)),
        "<h2>Skill over persistence and over last µ</h2>",
        skill(figures),
        "<h2>What the learned heads rest on</h2>",
        "<p>Mean absolute SHAP value of the 2-h heads that are in use, in standard deviations of the filter; the fifteen largest. "
        "The filter and the equations carry the middle of the forecast, the heads shape its interval. The middle head is taken by "
        f"the share that served batches best which it had not seen: {middle_shares(card)}.</p>",
        picture(importance(training)),
        "<h2>Faults</h2>",
        fault_table(faults),
        "<h2>Limitations</h2><ul>",
        *(f"<li>{html.escape(one)}</li>" for one in card["limitations"]),
        "</ul><h2>Recommendation</h2>",
        recommendation(card),
        "</html>\n",
    ]
    return "\n".join(parts)


def middle_shares(card):
    return ", ".join(f"{target} {share:g}" for target, share in card["middleShare"].items())


def number(value, unit):
    if value is None:
        return "–"
    return f"{100 * value:.2f} %" if unit == "%" else f"{value:.1f} min" if unit == "min" else f"{value:.2f}"


def gates(card):
    reached = card["reachedBeside"]
    lines = ["<table><tr><th>criterion<th>gate<th>goal<th>realistic<th>met<th>kind<th>sealed set"]
    for gate in card["gates"]:
        sign = "≤" if gate["better"] == "lower" else "≥"
        met = "yes" if gate["met"] else "<span class=no>no</span>"
        goal = f"{sign} {number(gate['goal'], gate['unit'])}" if "goal" in gate else ""
        lines.append(
            f"<tr><td>{html.escape(gate['label'])}<td>{sign} {number(gate['gate'], gate['unit'])}<td>{goal}"
            f"<td>{number(gate['reached'], gate['unit'])}<td>{met}"
            f"<td>{number(reached['kind'][gate['name']], gate['unit'])}<td>{number(reached['sealed'][gate['name']], gate['unit'])}"
        )
    return "\n".join(lines) + "</table>"


def phases(figures):
    lines = ["<table><tr><th>phase<th>scenario" + "".join(f"<th>{one} error<th>covered" for one in ("PT0S", *HORIZONS))]
    for phase in PHASES:
        for scenario in ("realistic", "kind"):
            cells = ""
            for horizon in ("PT0S", *HORIZONS):
                one = figures[scenario]["phases"][horizon].get(phase)
                cells += "<td>–<td>–" if one is None else f"<td>{number(one['mre'], '%')}<td>{100 * one['coverage90']:.1f} %"
            lines.append(f"<tr><td>{phase}<td>{scenario}{cells}")
    return "\n".join(lines) + "</table><p>Gate at 2 h: 5 % in each phase, coverage 85 to 95 %; goal 3 %.</p>"


def by_batch(rows, blocks=1000):
    """Error of each batch with its 95 % interval: windows follow each other closely, so whole hours are drawn (bootstrap)."""
    lines = [
        "<table><tr><th>batch<th>horizon<th>windows<th>mean relative error<th>95 % interval<th>RMSE<th>against offline OD600"
        "<th>p5 to p95 covers"
    ]
    for batch in np.unique(rows.of("PT2H")["batch"]):
        for horizon in ("PT0S", "PT30M", "PT2H"):
            data = rows.of(horizon)
            here = data["batch"] == batch
            error = np.abs(data["p50"] / data["truth"] - 1)[here]
            root = np.sqrt(np.mean((data["p50"] - data["truth"])[here] ** 2))
            offline = np.abs(data["p50"] / data["measured"] - 1)[here]
            covered = ((data["p5"] <= data["truth"]) & (data["truth"] <= data["p95"]))[here].mean()
            hour = data["hours"][here].astype(int)
            hours = [error[hour == one] for one in np.unique(hour)]
            draw = np.random.default_rng(20261121)
            means = [
                np.concatenate([hours[one] for one in draw.integers(0, len(hours), len(hours))]).mean()
                for _ in range(blocks)
            ]
            low, high = np.quantile(means, [0.025, 0.975])
            lines.append(
                f"<tr><td>{html.escape(str(batch))}<td>{horizon}<td>{here.sum()}<td>{number(error.mean(), '%')}"
                f"<td>{number(low, '%')} to {number(high, '%')}<td>{root:.2f} AU<td>{number(np.nanmean(offline), '%')}"
                f"<td>{100 * covered:.1f} %"
            )
    return "\n".join(lines) + "</table>"


def predicted(rows):
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2))
    for axis, horizon in zip(axes, ("PT0S", "PT30M", "PT2H")):
        data = rows.of(horizon)
        for phase in PHASES:
            here = data["phase"] == phase
            axis.scatter(data["truth"][here][::5], data["p50"][here][::5], s=2, c=COLOURS[phase], label=phase, rasterized=True)
        measured = np.isfinite(data["measured"])
        axis.scatter(data["measured"][measured], data["p50"][measured], s=14, marker="+", c="black", label="offline OD600")
        axis.plot([0.3, 70], [0.3, 70], lw=0.7, c="grey")
        axis.set(xscale="log", yscale="log", title=f"{horizon}", xlabel="true (+: measured) OD600", ylabel="p50")
    axes[0].legend(fontsize=7)
    figure.tight_layout()
    return figure


def residuals(rows):
    figure, axes = plt.subplots(2, 1, figsize=(13, 6.5), sharex=True)
    for axis, horizon in zip(axes, ("PT30M", "PT2H")):
        data = rows.of(horizon)
        relative = 100 * (data["p50"] / data["truth"] - 1)
        for phase in PHASES:
            here = data["phase"] == phase
            axis.scatter(data["hours"][here], relative[here], s=1, c=COLOURS[phase], label=phase, rasterized=True)
        axis.axhline(0, lw=0.7, c="black")
        axis.set(ylabel=f"{horizon}: p50 against truth, %", ylim=(-10, 10))
    axes[0].legend(fontsize=7, markerscale=5)
    axes[1].set_xlabel("hours after inoculation, when issued")
    figure.tight_layout()
    return figure


def coverage(figures, training, rows, width):
    lines = [
        "<table><caption>Truth inside p5 to p95</caption><tr><th>target"
        f"<th>{figures['realistic']['batches']} fresh batches<th>± standard error<th>training batches, by heads that had not seen them<th>batches"
    ]
    for target, one in training["heldOutByFold"].items():
        if target == "PT0S":
            fresh = figures["realistic"]["softSensor"]["coverage90"]
        elif target == "depletion":
            fresh = figures["realistic"]["depletion"]["coverage90"]
        else:
            fresh = figures["realistic"]["horizons"][target]["coverage90"]
        shares = covered_by_batch(rows.of(target))
        error = np.std(shares, ddof=1) / np.sqrt(len(shares)) if len(shares) > 1 else None
        lines.append(
            f"<tr><td>{target}<td>{number(fresh, '%')}<td>{number(error, '%')}"
            f"<td>{number(one['coverageUnseen'], '%')}<td>{one['batches']}"
        )
    return "\n".join(lines) + (
        "</table><p>Windows of one batch share its gains: coverage is known no better than its spread over batches lets it. "
        f"The width of the interval was set on {width['setOnBatches']} further batches that neither trained nor judge; with the "
        f"width before, it held {', '.join(f'{number(share, chr(37))} ({name})' for name, share in width['coverageBefore'].items())} "
        "of them.</p>"
    )


def covered_by_batch(data):
    inside = (data["p5"] <= data["truth"]) & (data["truth"] <= data["p95"])
    return [inside[data["batch"] == batch].mean() for batch in np.unique(data["batch"])]


def coverage_by_batch(rows):
    figure, axes = plt.subplots(1, 2, figsize=(13, 3.4))
    for axis, horizon in zip(axes, ("PT30M", "PT2H")):
        data = rows.of(horizon)
        shares = [100 * share for share in covered_by_batch(data)]
        axis.hist(shares, bins=np.linspace(0, 100, 21), color="#4477aa")
        axis.set(title=f"{horizon}: batches by share of their windows covered", xlabel="%", ylabel="batches")
    figure.tight_layout()
    return figure


def skill(figures):
    lines = ["<table><tr><th>horizon<th>own error<th>persistence<th>skill over it<th>skill over last µ<th>kind: over last µ"]
    for horizon in HORIZONS:
        one, kind = figures["realistic"]["horizons"][horizon], figures["kind"]["horizons"][horizon]
        lines.append(
            f"<tr><td>{horizon}<td>{number(one['mre'], '%')}<td>{number(figures['realistic']['persistence'][horizon], '%')}"
            f"<td>{number(one['skillPersistence'], '')}<td>{number(one['skillLastMu'], '')}<td>{number(kind['skillLastMu'], '')}"
        )
    return "\n".join(lines) + "</table><p>Before depletion only; afterwards persistence is optimal. No skill is claimed at 30 s.</p>"


def importance(training):
    chosen = training["importance"]["PT2H"][::-1]
    figure, axis = plt.subplots(figsize=(8, 4.2))
    axis.barh([one["feature"] for one in chosen], [one["meanAbsolute"] for one in chosen], color="#228833")
    axis.set_xlabel("mean |SHAP|")
    figure.tight_layout()
    return figure


def fault_table(faults):
    lines = [
        f"<p>One batch 17 a seed ({faults[0]['batches']} each); figures from the fault's beginning to depletion. "
        "“Sure and wrong”: the truth lies outside the interval and p50 is off by more than 5 %.</p>",
        "<table><tr><th>fault<th>withheld<th>after<th>error 30 min<th>error 2 h<th>covered 30 min<th>covered 2 h"
        "<th>sure and wrong 30 min<th>2 h<th>depletion off<th>covered<th>first reason",
    ]
    for one in faults:
        after = "–" if one["withheldAfterHours"] is None else f"{one['withheldAfterHours']:.2f} h"
        lines.append(
            f"<tr><td>{html.escape(one['fault'])}<td>{number(one['withheldShare'], '%')}<td>{after}"
            + "".join(f"<td>{number(one[name], '%')}" for name in (
                "mre30m", "mre2h", "coverage30m", "coverage2h", "confidentlyWrong30m", "confidentlyWrong2h"))
            + f"<td>{number(one['depletionMinutes'], 'min')}<td>{number(one['depletionCoverage'], '%')}"
            f"<td style='text-align:left'>{html.escape(one['firstReason'] or '')}"
        )
    return "\n".join(lines) + "</table>"


def recommendation(card):
    missed = [gate["label"] for gate in card["gates"] if not gate["met"]]
    if missed:
        return f"<p class=no>Gates not reached: {html.escape(', '.join(missed))}.</p>"
    return ("<p>All gates are reached on simulated batches: fit for simulated and replayed data. For live batches it needs "
            "a person's approval and judgement on real offline samples first.</p>")


def picture(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, metadata={"Software": None})
    plt.close(figure)
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


if __name__ == "__main__":
    main()
