"""Is it noise: whether the best group's gain stands out of what a seed alone changes."""

from grokscope.answers.questions.asked import Asked
from grokscope.answers.questions.final_levels import Gain, gain_of
from grokscope.answers.reading.reader import StoreReader
from grokscope.answers.record.answer import Answer, Number, page
from grokscope.answers.record.names import named, told

NAME = "is_it_noise"
_TWO = 2
_ONE_GROUP = (
    "There is one group of runs; a gain is of two, or over a target. Name params with by, or give a target."
)


def is_it_noise(reader: StoreReader, asked: Asked) -> Answer:
    """Return whether the best group is better than the next one, or than a target, by more than seeds differ.

    Raises:
        QuestionError: If experiment, param or metric are not there, or there is nothing to compare.
        StoreError: If the store cannot be read.
    """
    gain = gain_of(reader.read(asked.experiment, where=asked.where), asked)
    return Answer(
        question=NAME,
        experiment=gain.experiment.name,
        sentences=[verdict_of(gain), compared(gain, asked)],
        verdict=gain.decision.verdict if gain.decision is not None else "cannot tell",
        numbers=numbers_of(gain),
        evidence=evidence_of(gain),
        missing=doubts_of(gain),
        link=page("compare", experiment=gain.experiment.name),
        store=gain.experiment.store,
    )


def verdict_of(gain: Gain) -> str:
    """Return whether it is noise, in a sentence."""
    if gain.decision is None:
        return untold(gain)
    if gain.decision.verdict == "undecided":
        return f"It may be noise: {gain.decision.sentence}."
    return f"It is no noise of the seed: {gain.decision.sentence}."


def untold(gain: Gain) -> str:
    """Return why nothing can be decided, in a sentence."""
    if gain.value is None:
        return _ONE_GROUP
    return f"It cannot be told: {gain.floor.sd.missing or 'runs that differ in their seed all end alike'}."


def compared(gain: Gain, asked: Asked) -> str:
    """Return what was compared with what, in a sentence."""
    mean = (
        f"{named(gain.best.label)} ends with {named(gain.metric)} at {gain.best.mean:.4g} on average of "
        f"{len(gain.best.levels)} runs"
    )
    if gain.value is None:
        return f"{mean}."
    base = (
        f"the target {named(str(asked.target))}"
        if gain.other is None
        else f"{named(gain.other.label)} ({gain.other.mean:.4g}, {len(gain.other.levels)} runs)"
    )
    return f"{mean}, {abs(gain.value):.3g} {'better' if gain.value >= 0 else 'worse'} than {base}."


def numbers_of(gain: Gain) -> list[Number]:
    """Return the gain, the floor and what the test says."""
    floor, decision = gain.floor, gain.decision
    sd = Number(
        what="sd of a seed",
        of=gain.metric,
        value=floor.sd.value,
        low=floor.sd.low,
        high=floor.sd.high,
        why=floor.sd.missing or f"pooled over {floor.configurations} settings, {floor.df} degrees of freedom",
    )
    if decision is None:
        return [*([] if gain.value is None else [Number(what="gain", of=gain.metric, value=gain.value)]), sd]
    found = Number(what="gain", of=gain.metric, value=gain.value, low=decision.low, high=decision.high)
    return [
        found,
        sd,
        Number(what="gain in sd of a seed", value=decision.sigmas),
        Number(what="p", value=decision.p),
    ]


def evidence_of(gain: Gain) -> list[str]:
    """Return where each of the two groups ended."""
    groups = [group for group in (gain.best, gain.other) if group is not None]
    return [
        f"{named(group.label)}: {', '.join(f'{level:.4g}' for level in sorted(group.levels)[:8])}"
        f"{' and more' if len(group.levels) > 8 else ''}."  # noqa: PLR2004 - one line
        for group in groups
    ]


def doubts_of(gain: Gain) -> list[str]:
    """Return what is to be known with it."""
    said: list[str] = []
    caveat = gain.floor.caveat
    if caveat is not None and gain.decision is not None:
        said.append(f"{caveat[:1].upper()}{caveat[1:]}.")
    if gain.groups > _TWO:
        said.append(
            f"It is the best of {gain.groups} groups, chosen after looking: part of its gain is luck, "
            "and p is too small."
        )
    if gain.decision is not None:
        said.append("p is of one look; whoever looks again after each seed finds too much.")
    if gain.left_out:
        left = len(gain.left_out)
        runs = "1 run is" if left == 1 else f"{left:,} runs are"
        said.append(told(f"{runs} left out: still training, without a final level, or of no group."))
    return said
