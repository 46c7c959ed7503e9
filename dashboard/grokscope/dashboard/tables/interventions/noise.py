"""Whether a gain stands out of what a seed alone changes, and how many more seeds would tell."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from grokscope.dashboard.state.data import Snapshot
from grokscope.dashboard.tables.interventions.groups import Groups
from grokscope.dashboard.tables.interventions.variables import unlike
from grokscope.interventions.comparing.grouping import blocks_of
from grokscope.interventions.noise.decision import Decision, decide
from grokscope.interventions.noise.floor import NoiseFloor, noise_floor
from grokscope.interventions.noise.replicates import said_of_repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A gain beside the noise of a seed.

    Attributes:
        what: Of which quantity.
        best, other: The groups; ``""`` where there are not two.
        value: The gain, positive where ``best`` is better, in the quantity's unit.
        floor: The noise floor; ``None`` where nothing has ended.
        decision: Whether the gain stands out; ``None`` where that cannot be told.
        sentence: All this in words, or why it cannot be told.
        caveat: What to know with it; ``None`` if nothing.
    """

    what: str
    best: str = ""
    other: str = ""
    value: float | None = None
    floor: NoiseFloor | None = None
    decision: Decision | None = None
    sentence: str
    caveat: str | None = None


def gain_of_levels(
    levels: pl.DataFrame, settings: pl.DataFrame, *, metric: str, is_upward: bool, baseline: str | None
) -> Gain:
    """Return the gain of the group with the best mean final level over the baseline, or over the next one.

    Args:
        levels: ``LEVELS``; runs in training are passed over.
        settings: ``run_id`` and a column a variable: runs that differ in their seed only share all of them.
        metric: What the levels are of.
        is_upward: Whether high ones are good.
        baseline: A group; ``None`` for the next best.
    """
    known = levels.filter(pl.col("is_over") & pl.col("final").is_not_null()).select(
        "run_id", "group", value=pl.col("final") if is_upward else -pl.col("final")
    )
    return _gain(known, settings, f"final {metric}", baseline)


def gain_of_costs(
    rows: pl.DataFrame, settings: pl.DataFrame, *, groups: Groups, baseline: str | None
) -> Gain:
    """Return the gain in log cost of the cheapest group; refused where not all runs of both are there.

    Args:
        rows: ``REACHING``.
        settings: ``run_id`` and a column a variable.
        groups: Of these.
        baseline: A group; ``None`` for the next one by its median.
    """
    what = "log cost"
    whole = groups.table.filter(pl.col("reached") == pl.col("runs"))["group"].to_list()
    order: list[str] = groups.table["group"].to_list()
    pair = _pair(order, baseline)
    if pair is None:
        return Gain(what=what, sentence="One group has no other to gain on.")
    if short := [name for name in pair if name not in whole]:
        counts = groups.table.filter(pl.col("group") == short[0]).row(0, named=True)
        return Gain(
            what=what,
            best=pair[0],
            other=pair[1],
            sentence=f"{counts['reached']} of {counts['runs']} runs of {short[0]} are there, and the costs "
            "of the others are only bounds: the noise of a cost cannot be told.",
        )
    there = rows.filter(pl.col("group").is_in(whole) & (pl.col("at") > 0))
    known = there.select("run_id", "group", value=-pl.col("at").log())
    return _gain(known, settings, what, pair[1], best=pair[0])


def repeats_among(rows: pl.DataFrame, snapshot: Snapshot) -> tuple[str, ...]:
    """Return which runs are no further evidence: seeds that were repeated, and copies of logs.

    Args:
        rows: ``REACHING``, of the groups that are compared.
        snapshot: Has their params and curves.
    """
    own = snapshot.params.join(rows, on="run_id", how="semi").with_columns(_PARAM + pl.col("key"))
    params = own.pivot("key", index="run_id", values="value", aggregate_function="last")
    labelled = rows.select("run_id", "group").join(params, on="run_id", how="left", maintain_order="left")
    return said_of_repeats(blocks_of(labelled), snapshot.curves)


def _configured(known: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """Return values with ``configuration``: all that tells a run apart but its seed."""
    both = known.join(settings, on="run_id", how="left", maintain_order="left")
    own = [pl.col(name).cast(pl.String).fill_null("") for name in both.columns if name not in _TOLD]
    return both.select("group", "value", configuration=pl.concat_str("group", *own, separator=" · "))


_TOLD = ("run_id", "group", "value")
_PARAM = pl.lit("params.")
"""Before a param's name, which may be that of a column."""


def _pair(order: list[str], baseline: str | None) -> tuple[str, str] | None:
    if len(order) < 2:  # noqa: PLR2004
        return None
    if baseline is None or baseline not in order:
        return order[0], order[1]
    return (order[0], baseline) if order[0] != baseline else (order[1], baseline)


def _gain(
    of_runs: pl.DataFrame, settings: pl.DataFrame, what: str, baseline: str | None, *, best: str | None = None
) -> Gain:
    known = _configured(of_runs, settings)
    means = known.group_by("group").agg(pl.col("value").mean(), pl.len())
    means = means.sort("value", "group", descending=[True, False])
    order: list[str] = means["group"].to_list()
    pair = _pair(order, baseline)
    if pair is None:
        return Gain(what=what, sentence="Fewer than two groups have runs that ended: no gain to judge.")
    first, other = best or pair[0], pair[1]
    by_name = {group: (float(mean), int(count)) for group, mean, count in means.iter_rows()}
    floor = noise_floor(np.array(known["value"]), known["configuration"].to_list())
    value = by_name[first][0] - by_name[other][0]
    found = Gain(
        what=what,
        best=first,
        other=other,
        value=value,
        floor=floor,
        sentence="",
        caveat=_caveat(known, floor),
    )
    others = unlike(settings, of_runs.filter(pl.col("group").is_in([first, other])))
    if others:
        why = f"the runs of {first} and of {other} differ in {', '.join(others)}, too, and not alike"
        return replace(found, sentence=f"It cannot be told: {why}. Group by that as well.")
    return _decided(found, floor, by_name[first][1], by_name[other][1])


def _caveat(known: pl.DataFrame, floor: NoiseFloor) -> str | None:
    mixed = known.group_by("group").agg(pl.col("configuration").n_unique())["configuration"].max() != 1
    said = "runs of a group differ in more than their seed, so its mean hangs on which settings it has"
    apart = len(floor.apart)
    spread = (
        f"{apart} of {floor.configurations} settings spread otherwise than all together" if apart else None
    )
    return "; ".join(filter(None, [said if mixed else None, spread])) or None


def _decided(found: Gain, floor: NoiseFloor, n_best: int, n_other: int) -> Gain:
    sd, value = floor.sd.value, found.value
    if not sd or value is None:
        reason = floor.sd.missing or "the runs of every group ended at one level, so nothing shows the noise"
        return replace(found, sentence=f"It cannot be told: {reason}.")
    decision = decide(value, floor, n_best, n_other)
    said = f"{found.best} over {found.other}: {decision.sentence}."
    return replace(found, decision=decision, sentence=said)
