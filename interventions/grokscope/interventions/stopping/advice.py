"""Should this run be stopped, with the evidence, the error rate, and what a naive rule would have done."""

from dataclasses import dataclass

import polars as pl

from grokscope.interventions.stopping.judged_curves import JudgedCurves
from grokscope.interventions.stopping.naive import HalvesRule, compare_halves
from grokscope.interventions.stopping.outlook import Outlook, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    outlook: Outlook
    naive: HalvesRule
    because: str


def advice_on(curves: pl.DataFrame) -> Advice:
    found = JudgedCurves.of(curves)
    j = judge(found)
    return Advice(outlook=j.outlook, naive=compare_halves(found), because=j.because)
