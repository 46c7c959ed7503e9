"""How many seeds: how many more runs a group would settle whether the best group is better."""

from grokscope.answers.questions.asked import Asked
from grokscope.answers.questions.final_levels import Gain, gain_of
from grokscope.answers.questions.is_it_noise import compared, doubts_of, evidence_of, numbers_of, untold
from grokscope.answers.reading.reader import StoreReader
from grokscope.answers.record.answer import Answer, Number, page
from grokscope.interventions.contrasts.attainable import advice

NAME = "how_many_seeds"


def how_many_seeds(reader: StoreReader, asked: Asked) -> Answer:
    """Return how many more seeds a group would settle a gain of the size that is seen, with an interval.

    Raises:
        QuestionError: If experiment, param or metric are not there, or there is nothing to compare.
        StoreError: If the store cannot be read.
    """
    gain = gain_of(reader.read(asked.experiment, where=asked.where), asked)
    return Answer(
        question=NAME,
        experiment=gain.experiment.name,
        sentences=[_said(gain), compared(gain, asked), *_by_rank(gain)],
        numbers=[_more(gain), *numbers_of(gain)],
        evidence=evidence_of(gain),
        missing=doubts_of(gain),
        link=page("compare", experiment=gain.experiment.name),
        store=gain.experiment.store,
    )


def _said(gain: Gain) -> str:
    decision = gain.decision
    if decision is None:
        return untold(gain)
    if decision.verdict != "undecided":
        return f"No more: {decision.sentence}."
    return f"{decision.sentence[:1].upper()}{decision.sentence[1:]}."


def _by_rank(gain: Gain) -> list[str]:
    """Return what a rank test could show at all, where the runs are too few for it."""
    if gain.other is None:
        return []
    said = advice(len(gain.best.levels), len(gain.other.levels))
    return [] if said is None else [f"By ranks alone {said}."]


def _more(gain: Gain) -> Number:
    decision = gain.decision
    if decision is None or decision.verdict != "undecided":
        why = "cannot be told" if decision is None else "it is decided"
        return Number(what="more seeds a group", value=None if decision is None else 0, why=why)
    return Number(
        what="more seeds a group",
        value=decision.more,
        low=decision.more_low,
        high=decision.more_high,
        why="for a power of 80 % at p < .05, if the true gain is the one seen",
    )
