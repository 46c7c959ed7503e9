"""Which measure moved first, of one run and over runs: the engine's leads, ready to be drawn.

Positions are in units of the run's own delay, on the axis of time: training data memorized at -1, the
midpoint of the held-out rise at 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from grokscope.dashboard.charts.elements.quantity import label_of
from grokscope.dashboard.charts.leads import ROLES
from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.panels import is_about_learning
from grokscope.dashboard.words.escaping import plain
from grokscope.dashboard.words.patterns import PATTERN_WORDS
from grokscope.schemas import Pattern, Verdict, mapped
from grokscope.transitions import lead_lag, pooled_leads

MEMBERS = pl.Schema(
    {
        "run_id": pl.String(),
        "run": pl.String(),
        "metric": pl.String(),
        "measure": pl.String(),
        "label": pl.String(),
        "role": pl.String(),
        "begin": pl.Float64(),
        "half": pl.Float64(),
        "lead": pl.Float64(),
    }
)
"""One measure of one run: where 10 % and 50 % of its change since memorization are done; ``lead`` is -half.

``measure`` is the metric's key, fit to be shown, and ``label`` what the metric is called.
"""

MEANING_OF_LEADS = (
    "Times are counted in delays: one delay is the time from memorization to the midpoint of the held-out "
    "rise, which stands at 0. A measure at **-0.5** was half-way through its own change half a delay before "
    "that midpoint. Further left is earlier."
)

LEFT_OUT = pl.Schema({"run": pl.String(), "group": pl.String(), "why": pl.String()})
MEASURE, OF_TRAINING, EVENT = ROLES
FEWEST_CONFIGURATIONS = 3
"""Configurations from which on a measure is among the first: of fewer, all may agree by luck."""
FIRST_MEASURES = 15
_SIGNS_FOR_P = 6
"""Configurations from which on 2 / 2^k, the smallest p-value there can be, is below 0.05."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """Leads over runs.

    Attributes:
        members: ``MEMBERS``, one row a run and measure.
        pooled: A row a measure, largest lead first: the engine's ``POOLED`` with ``measure``,
            ``role`` and the range over runs, ``earliest`` and ``latest`` (positions).
        left_out: ``LEFT_OUT``.
    """

    members: pl.DataFrame
    pooled: pl.DataFrame
    left_out: pl.DataFrame

    @property
    def configurations(self) -> int:
        """How many configurations took part."""
        most = self.pooled["configurations"].max()
        return most if isinstance(most, int) else 0


def has_lead(verdict: Verdict | None) -> bool:
    """Return whether a run has what leads are counted from: an onset, and a delay to be the unit."""
    return why_left_out(verdict) is None


def why_left_out(verdict: Verdict | None) -> str | None:
    """Return why a run has no leads, as a phrase that may be shown; ``None`` if it has.

    >>> why_left_out(None)
    'no curve logged yet'
    """
    if verdict is None:
        return "no curve logged yet"
    if verdict.delay is not None and verdict.onset is not None:
        return None if verdict.delay.steps > 0 else "generalized without a delay: nothing to measure leads in"
    if verdict.pattern is Pattern.COMPREHENSION:
        return "the curves improved together, so there is no delay"
    if verdict.memorized is None:
        return f"memorization has no date ({PATTERN_WORDS[verdict.pattern].plain})"
    return f"the rise has no date so far ({PATTERN_WORDS[verdict.pattern].plain})"


def members_of(points: pl.DataFrame, snapshot: Snapshot, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return ``MEMBERS`` of the given runs, the earliest measure of each run first.

    Args:
        points: All measures of these runs, under canonical names.
        snapshot: Has their verdicts and labels.
        run_ids: Those of which leads are wanted; runs without any give no rows.
    """
    verdicts = {run: snapshot.verdicts[run] for run in run_ids if has_lead(snapshot.verdicts.get(run))}
    ours = [metric for metric in points["metric"].unique() if is_about_learning(metric)]
    measured = points.filter(pl.col("metric").is_in(ours))
    found = lead_lag(measured, list(verdicts.values())) if verdicts else None
    if found is None or found.is_empty():
        return MEMBERS.to_frame()
    rise = {run: _onset_to_half(verdict) for run, verdict in verdicts.items()}
    named = snapshot.runs.select("run_id", pl.col("label").alias("run"))
    rising = pl.col("run_id").replace_strict(rise, return_dtype=pl.Float64())
    return (
        found.with_columns(
            measure=mapped(found["metric"], plain),
            label=mapped(found["metric"], lambda name: plain(label_of(name))),
            role=pl.when(pl.col("metric").str.starts_with("train/"))
            .then(pl.lit(OF_TRAINING))
            .otherwise(pl.lit(MEASURE)),
            begin=-rising - pl.col("lead_onset"),
            half=-pl.col("lead_midpoint"),
            lead=pl.col("lead_midpoint"),
        )
        .join(named, on="run_id", how="left")
        .select(MEMBERS.names())
        .sort("run", "half", "metric")
    )


def rise_of(verdict: Verdict) -> tuple[float, float]:
    """Return where the held-out curve itself begins to rise and is half done: the row to compare with."""
    return -_onset_to_half(verdict), 0.0


def leads_of(
    points: pl.DataFrame, snapshot: Snapshot, run_ids: Sequence[str], *, configurations: Mapping[str, str]
) -> Leads:
    """Return the leads of the given runs, pooled, with those left out.

    Args:
        points: All measures of these runs.
        snapshot: Has their verdicts, labels and groups.
        run_ids: The runs that are asked about.
        configurations: Run -> what counts as one configuration.
    """
    members = members_of(points, snapshot, run_ids)
    pooled = pooled_leads(members.rename({"lead": "lead_midpoint"}), configurations)
    ranges = members.group_by("metric").agg(
        pl.col("measure", "label", "role").first(),
        pl.col("half").min().alias("earliest"),
        pl.col("half").max().alias("latest"),
    )
    pooled = pooled.join(ranges, on="metric", how="left", maintain_order="left")
    return Leads(members=members, pooled=pooled, left_out=_left_out(snapshot, run_ids))


def said_of_p(configurations: int) -> str:
    """Return what p-values can tell with so many configurations.

    >>> said_of_p(1)
    'There is one configuration. Whether its leads hold for others cannot be tested: no p-value is given.'
    >>> said_of_p(3)
    'With 3 configurations the smallest possible p-value is 0.25. To reach 0.05, 6 are needed.'
    """
    if configurations <= 1:
        return (
            "There is one configuration. Whether its leads hold for others cannot be tested: "
            "no p-value is given."
        )
    smallest = 2 / 2**configurations
    if configurations < _SIGNS_FOR_P:
        return (
            f"With {configurations} configurations the smallest possible p-value is {smallest:.2g}. "
            f"To reach 0.05, {_SIGNS_FOR_P} are needed."
        )
    return f"With {configurations} configurations the smallest possible p-value is {smallest:.2g}."


def first_of(pooled: pl.DataFrame) -> pl.DataFrame:
    """Return the measures to look at first: the earliest of those with three configurations.

    Where none has so many, the earliest of all.

    Args:
        pooled: ``Leads.pooled``.

    >>> first_of(pl.DataFrame({"configurations": [2, 3, 5]})).rows()
    [(3,), (5,)]
    """
    enough = pooled.filter(pl.col("configurations") >= FEWEST_CONFIGURATIONS)
    return (pooled if enough.is_empty() else enough).head(FIRST_MEASURES)


def _onset_to_half(verdict: Verdict) -> float:
    if verdict.delay is None or verdict.onset is None or verdict.midpoint is None:
        return 0.0
    return (verdict.midpoint.step - verdict.onset.step) / verdict.delay.steps


def _left_out(snapshot: Snapshot, run_ids: Sequence[str]) -> pl.DataFrame:
    asked = snapshot.runs.filter(pl.col("run_id").is_in(list(run_ids)))
    rows = [
        (label, group, why)
        for run, label, group in asked.select("run_id", "label", "group").iter_rows()
        if (why := why_left_out(snapshot.verdicts.get(run))) is not None
    ]
    return pl.DataFrame(rows, schema=LEFT_OUT, orient="row").sort("why", "run")
