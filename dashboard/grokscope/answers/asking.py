"""The questions that can be asked, what each is narrowed by, and how one is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from grokscope.answers.errors import QuestionError
from grokscope.answers.questions import (
    cheapest,
    did_it_generalize,
    how_many_seeds,
    is_it_noise,
    should_i_stop,
    what_happened_since,
    when,
)
from grokscope.answers.questions.asked import Asked
from grokscope.answers.reading.reader import StoreReader
from grokscope.answers.record.answer import Answer
from grokscope.answers.record.names import named, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question.

    Attributes:
        name: As it is asked.
        sentence: What its answer says.
        takes: Fields of ``Asked`` that narrow it, besides the experiment.
        answer: Answers it.
    """

    name: str
    sentence: str
    takes: frozenset[str]
    answer: Callable[[StoreReader, Asked], Answer]


_ALL = (
    Question(
        name=did_it_generalize.NAME,
        sentence="Whether a run generalized, or how many runs of each group did, with exact intervals.",
        takes=frozenset({"run", "by", "target", "where"}),
        answer=did_it_generalize.did_it_generalize,
    ),
    Question(
        name=when.NAME,
        sentence="When a run memorized and generalized, or the first and the median run of each group, with "
        "intervals; runs that have not got there are counted in.",
        takes=frozenset({"run", "by", "target", "where"}),
        answer=when.when,
    ),
    Question(
        name=cheapest.NAME,
        sentence="Which group of runs got there in the fewest steps (or tokens, seconds, …), with medians, "
        "speed-ups, their intervals and p-values; runs that have not got there are counted in.",
        takes=frozenset({"by", "target", "where", "count_in"}),
        answer=cheapest.cheapest,
    ),
    Question(
        name=is_it_noise.NAME,
        sentence="Whether the best group ends better than the next one, or than a target, by more than seeds "
        "differ: the noise floor, the gain in its units, and p.",
        takes=frozenset({"by", "target", "where"}),
        answer=is_it_noise.is_it_noise,
    ),
    Question(
        name=how_many_seeds.NAME,
        sentence="How many more seeds a group would settle whether the best group is better.",
        takes=frozenset({"by", "target", "where"}),
        answer=how_many_seeds.how_many_seeds,
    ),
    Question(
        name=should_i_stop.NAME,
        sentence="Whether a run in training overfits or may still generalize, with what is seen, and what "
        "the usual rule would have stopped.",
        takes=frozenset({"run", "where"}),
        answer=should_i_stop.should_i_stop,
    ),
    Question(
        name=what_happened_since.NAME,
        sentence="What happened since a time: runs that started, ended, failed or diverged, "
        "transitions, which groups got there first, and what is training or silent now.",
        takes=frozenset({"since_ms"}),
        answer=what_happened_since.what_happened_since,
    ),
)

QUESTIONS: Mapping[str, Question] = MappingProxyType({question.name: question for question in _ALL})
"""Name -> question, in the order in which people ask them."""

_NARROWING = ("run", "by", "target", "where", "since_ms", "count_in")
_WRITTEN = MappingProxyType({"since_ms": "since"})


def ask(name: str, reader: StoreReader, asked: Asked) -> Answer:
    """Return the answer to a question.

    Args:
        name: One of ``QUESTIONS``; hyphens for underscores will do.
        reader: Of the store.
        asked: What narrows it.

    Raises:
        QuestionError: If there is no such question, or it is not narrowed by what is given.
        StoreError: If the store cannot be read.

    >>> try:
    ...     ask("why", StoreReader("sqlite:///a.db"), Asked())
    ... except QuestionError as error:
    ...     print(str(error)[:43])
    there is no question 'why'; ask one of did_
    """
    question = QUESTIONS.get(name.replace("-", "_"))
    if question is None:
        raise QuestionError(f"there is no question {quoted(name)}; ask one of {', '.join(QUESTIONS)}")
    given = [field for field in _NARROWING if getattr(asked, field) is not None]
    wrong = [_WRITTEN.get(field, field) for field in given if field not in question.takes]
    if wrong:
        takes = ", ".join(sorted(_WRITTEN.get(field, field) for field in question.takes))
        raise QuestionError(
            f"{question.name} is not narrowed by {', '.join(wrong)}; it takes experiment, {takes}"
        )
    found = question.answer(reader, asked)
    if asked.where is None:
        return found
    first, *more = found.sentences
    narrowed = f"Counted are only the runs for which this holds: {named(str(asked.where))}."
    return replace(found, sentences=[first, narrowed, *more])
