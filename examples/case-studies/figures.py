"""The figures of the case studies: the charts of the dashboard's pages, on paper."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
from laws import laws
from leads import is_sure, leads
from muon import s5
from phase import costs_until, grid_of
from pythia import ACCURACY, LOSS, lambada
from reading import study

from grokscope.answers.runs.tables import observed_in
from grokscope.cli.comparing.rules import by_speedrun
from grokscope.cli.comparing.sources import observed_at
from grokscope.dashboard.charts.compared import Compared, Look, compared_chart
from grokscope.dashboard.charts.elements.averages import averaged
from grokscope.dashboard.charts.elements.axes import StepAxis
from grokscope.dashboard.charts.elements.marks import MARKS_SCHEMA
from grokscope.dashboard.charts.elements.palette import LIGHT, Colouring
from grokscope.dashboard.charts.interventions.phase import phase_chart
from grokscope.dashboard.charts.interventions.profile import profile_chart
from grokscope.dashboard.charts.interventions.trend import trend_chart
from grokscope.dashboard.charts.interventions.tuning import tuning_chart
from grokscope.dashboard.charts.leads import pooled_leads_chart
from grokscope.dashboard.charts.linked import whole_spec
from grokscope.dashboard.charts.survival import survival_chart
from grokscope.dashboard.tables.interventions.phases import Grid
from grokscope.dashboard.tables.leads import OF_TRAINING
from grokscope.dashboard.tables.x_units import STEPS
from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.algoperf.scores import algoperf_scores
from grokscope.interventions.rules.algoperf.targets import AlgoPerfTargets
from grokscope.interventions.survival.by_group import survival_of_groups

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where figures are drawn from.

    Attributes:
        store: MLflow URI of what was trained here.
        data: Folder of the public curves; ``None`` where there is none.
    """

    store: str
    data: Path | None


def described(chart: alt.LayerChart) -> Spec:
    """Return a chart as Vega-Lite with all its rows."""
    with alt.data_transformers.enable("default", max_rows=None):
        return chart.to_dict(validate=False)


def looks(names: Sequence[str]) -> Colouring:
    """Return a colour and a dash for each group."""
    return Colouring(field="group", colours=LIGHT.of(names), palette=LIGHT, dashes=LIGHT.dashes(names))


def phase_diagram(sources: Sources) -> list[Spec]:
    """Return weight decay by share of the data: the whole grid, and as far as more decay never hurts."""
    found = study(sources.store, "weight decay by data")
    return [_phases(grid_of(costs_until(found, most=most))) for most in (None, MONOTONE)]


MONOTONE = 3.0
"""The weight decay up to which more of it never hurts, which a straight boundary takes for granted."""


def _phases(grid: Grid) -> Spec:
    chart = phase_chart(
        grid.cells,
        grid.line,
        names=("share of the table that is trained on", "weight decay"),
        columns=grid.columns,
        rows=grid.rows,
        colour="median",
        unit=STEPS.name,
        palette=LIGHT,
    )
    return described(chart)


REACHED = "test/accuracy>=0.95"


def published_optimizers(sources: Sources) -> list[Spec]:
    """Return the share of the published runs on S5 that are not there yet, by optimizer."""
    table = s5(pl.read_parquet(_data(sources) / "curves.parquet", glob=False))
    found = compare(observed_in(table, source="S5"), target=Target.parse(REACHED), by=["optimizer"])
    return [_survival(found.costs, [one.group for one in found.groups], "steps to 95 % held out")]


def optimizers(sources: Sources) -> list[Spec]:
    """Return what the best of k draws of each optimizer costs, and the share not there yet."""
    observed = study(sources.store, "optimizers and tuning").observed
    found = compare(observed, target=Target.parse(REACHED), by=["optimizer"])
    order, unit = [one.group for one in found.groups], "steps to 95 % held out"
    tuning = tuning_chart(found.tuning, colouring=looks(order), unit=unit)
    return [described(tuning), _survival(found.costs, order, unit)]


def _survival(costs: pl.DataFrame, order: Sequence[str], unit: str) -> Spec:
    curves, at_risk = survival_of_groups(costs.filter(pl.col("group").is_in(order)))
    return described(survival_chart(curves, at_risk, colouring=looks(order), unit=unit))


def delay_law(sources: Sources) -> list[Spec]:
    """Return the delay of each run over what first passage says of it, and the line of equal delays."""
    told = laws(study(sources.store, "digits by weight decay"), generalized=DIGITS[0], memorized=DIGITS[1])
    at = pl.when("reached").then("high").otherwise("low")
    dots = told.passage.predicted.select(
        pl.col("run_id").alias("run"), pl.col("predicted").alias("x"), "reached", at.alias("cost"), "low",
        pl.col("high").fill_null(at),
    )  # fmt: skip
    ends = [float(str(dots["x"].min())), float(str(dots["x"].max()))]
    line = pl.DataFrame({"x": ends, "cost": ends, "low": ends, "high": ends})
    named = "delay that the law says, steps"
    return [described(trend_chart(dots, line, name=named, unit="delay, steps", palette=LIGHT))]


DIGITS = ("test/accuracy>=0.85", "train/accuracy>=0.99")
"""When a run of the digits has generalized, and when it has memorized."""


def leading(experiment: str) -> Callable[[Sources], list[Spec]]:
    """Return the drawing of when each measure was half-way through its change, for one experiment."""

    def draw(sources: Sources) -> list[Spec]:
        told = leads(study(sources.store, experiment))
        shown = (pl.col("configurations") >= FEWEST) & (pl.col("role") != OF_TRAINING)
        rows = told.pooled.filter(shown).with_columns(at=-pl.col("median"), sure=is_sure())
        members = told.members.select("run", "measure", "label", "half")
        return [described(pooled_leads_chart(rows.head(40), members, palette=LIGHT))]

    return draw


MOST = 5
"""Groups that are told apart by colour alone."""
FEWEST = 3
"""Settings from which on a measure is drawn: of fewer, all may agree by luck."""


def algoperf(sources: Sources) -> list[Spec]:
    """Return the performance profiles that AlgoPerf's scores are the areas of."""
    folder = _data(sources) / "interventions"
    observed = observed_at(
        str(folder / "algoperf_v05_external.parquet"), experiment=None, where=None, metrics=None
    )
    params = observed.runs.select("run_id", "submission", "workload", "study", "trial")
    targets = json.loads((folder / "algoperf_v05_targets.json").read_text())
    evaluations = observed.curves.join(params, on="run_id", how="left")
    found = algoperf_scores(evaluations, AlgoPerfTargets.parse(targets))
    first = list(found.scoreboard.scores)[:MOST]
    curves = found.profiles.filter(pl.col("group").is_in(first))
    return [described(profile_chart(curves, colouring=looks(first)))]


def speedrun(sources: Sources) -> list[Spec]:
    """Return the share of runs above 3.28 over steps, for the records with the fewest."""
    path = _data(sources) / "interventions" / "speedrun_track3.parquet"
    target = Target.parse("val_loss<=3.28")
    observed = observed_at(str(path), experiment=None, where=None, metrics=[target.metric])
    found = by_speedrun(observed, target, by=["record"], results=None)
    first = [one.group for one in found.groups][:MOST]
    return [_survival(found.costs, first, "steps to a loss of 3.28")]


def emergence(sources: Sources) -> list[Spec]:
    """Return accuracy and loss on LAMBADA over the checkpoints, a line a size, mean of both corpora."""
    table = lambada(pl.read_parquet(_data(sources) / "curves.parquet", glob=False))
    sizes = table["billions"].unique().sort()
    points = table.with_columns(
        pl.format("{} B", pl.col("billions")).alias("group"), pl.col("run").alias("run_id")
    )
    names = [f"{size} B" for size in sizes]
    axis = StepAxis(last=float(str(table["step"].max())))
    look = Look(axis=axis, colouring=looks(names), dashes=dict(LIGHT.dashes(names)), columns=2)
    return [
        _curves(points.filter(pl.col("metric") == metric), metric, title, look)
        for metric, title in (
            (ACCURACY, "accuracy on LAMBADA, share"),
            (LOSS, "loss on LAMBADA, nats a word"),
        )
    ]


def _curves(points: pl.DataFrame, metric: str, title: str, look: Look) -> Spec:
    own = points.select("run_id", "run", "group", "step", "value")
    marks = pl.DataFrame(schema={**MARKS_SCHEMA, "run": pl.String(), "group": pl.String()})
    compared = Compared(
        metric=metric,
        title=title,
        points=own,
        raw=own.clear(),
        averages=averaged(own),
        marks=marks,
        has_members=False,
    )
    spec = whole_spec(compared_chart(compared, look))
    return {name: value for name, value in spec.items() if name != "title"}


def _data(sources: Sources) -> Path:
    if sources.data is None:
        raise SystemExit("the public curves are not there; name their folder with --data")
    return sources.data


FIGURES: Mapping[str, Mapping[str, Callable[[Sources], list[Spec]]]] = {
    "weight-decay-and-data": {"weight-decay-and-data": phase_diagram},
    "optimizers": {"optimizers-published": published_optimizers, "optimizers": optimizers},
    "delay-law": {"delay-law": delay_law},
    "what-leads": {
        "leads-modular-arithmetic": leading("weight decay by data"),
        "leads-digits": leading("digits by weight decay"),
    },
    "algoperf-and-speedrun": {"algoperf": algoperf, "speedrun": speedrun},
    "emergence": {"emergence": emergence},
}
"""Page -> figure -> what draws it."""
