"""What is said beside any answer over runs: who cannot be judged, who still trains, whose word it is."""

from collections import Counter
from collections.abc import Sequence

from grokscope.answers.questions.reaching import Reach
from grokscope.answers.reading.experiment import JudgedRun
from grokscope.answers.record.names import named, told

_MOST = 3


def caveats(found: Sequence[Reach]) -> list[str]:
    """Return what qualifies an answer over runs, the weightiest first."""
    open_ones = [one.run for one in found if one.date is None and one.run.is_running]
    silent = [one.run for one in found if one.date is None and one.run.is_silent]
    said: list[str] = []
    if open_ones:
        said.append(f"{_runs(len(open_ones))} still training and may get there yet: {_names(open_ones)}.")
    if silent:
        said.append(f"{_runs(len(silent))} called running and not heard of for long: {_names(silent)}.")
    said += _not_judged([one.run for one in found if not one.is_judged])
    decided = [one.run for one in found if one.run.decided]
    if decided:
        said.append(f"A person's review was taken for {len(decided):,}: {_names(decided)}.")
    return [*said, *notes_of([one.run for one in found])]


def notes_of(runs: Sequence[JudgedRun]) -> list[str]:
    """Return what is to be said of how runs were read, each once, with how many it is said of."""
    count = Counter(note for run in runs for note in run.notes)
    return [told(note) if n == 1 else f"{told(note)} ({n:,} runs)" for note, n in count.most_common(_MOST)]


def _not_judged(runs: Sequence[JudgedRun]) -> list[str]:
    if not runs:
        return []
    reasons = Counter(reason for run in runs if run.verdict for reason in run.verdict.missing)
    why = f"; most often: {told(reasons.most_common(1)[0][0])}" if reasons else "; no evaluations yet."
    return [f"{_runs(len(runs))} left out, which cannot be judged: {_names(runs)}{why}"]


def _runs(count: int) -> str:
    return "1 run is" if count == 1 else f"{count:,} runs are"


def _names(runs: Sequence[JudgedRun]) -> str:
    some = ", ".join(named(run.name) for run in runs[:_MOST])
    return f"{some} and {len(runs) - _MOST:,} more" if len(runs) > _MOST else some
