"""What each pattern is called and means: the field's term, a plain word, a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from grokscope.schemas import Kind, Pattern, Transition, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternWords:
    """How a pattern is said.

    Attributes:
        term: What the field calls it (Liu et al. 2022).
        plain: The same for somebody who does not know the term.
        sentence: What it means.
    """

    term: str
    plain: str
    sentence: str

    @property
    def word(self) -> str:
        """What a table and a control show: a plain word, and "Grokking", which readers look for.

        >>> PATTERN_WORDS[Pattern.COMPREHENSION].word, PATTERN_WORDS[Pattern.GROKKING].word
        ('Learned together', 'Grokking')
        """
        return self.term if self.term == "Grokking" else self.plain.capitalize()


PATTERN_WORDS: Mapping[Pattern, PatternWords] = MappingProxyType(
    {
        Pattern.GROKKING: PatternWords(
            term="Grokking",
            plain="generalized late",
            sentence="The held-out curve rose clearly later than the training set was fit.",
        ),
        Pattern.COMPREHENSION: PatternWords(
            term="Comprehension",
            plain="learned together",
            sentence="Training and held-out curve improved together: the usual course of training, at "
            "whatever level.",
        ),
        Pattern.MEMORIZATION: PatternWords(
            term="Memorization",
            plain="fit only",
            sentence="The training set was fit, but the held-out curve did not move clearly.",
        ),
        Pattern.CONFUSION: PatternWords(
            term="Confusion",
            plain="not learned",
            sentence="Neither the training nor the held-out curve left where it began.",
        ),
        Pattern.COLLAPSE: PatternWords(
            term="Collapse",
            plain="lost again",
            sentence="What was learned was lost, for good or again and again.",
        ),
        Pattern.OTHER: PatternWords(
            term="Other",
            plain="not judged",
            sentence="None of these, or the log cannot tell; the verdict says why.",
        ),
    }
)
"""Every pattern has its row."""

PATTERN_OF_WORD: Mapping[str, str] = MappingProxyType(
    {words.plain: pattern.value for pattern, words in PATTERN_WORDS.items()}
)
"""Plain word -> the pattern's value, as queries take them."""


def headline(pattern: Pattern) -> str:
    """Return the term with the plain word.

    >>> headline(Pattern.COMPREHENSION)
    'Comprehension (learned together)'
    """
    words = PATTERN_WORDS[pattern]
    return f"{words.term} ({words.plain})"


def divergence_of(verdict: Verdict) -> Transition | None:
    """Return the divergence of a run; ``None`` where there is none."""
    return next((event for event in verdict.transitions if event.kind is Kind.DIVERGENCE), None)


def plain_word(verdict: Verdict) -> str:
    """Return what a run did in a plain word; of one that diverged and shows no pattern, that.

    >>> plain_word(Verdict(run="a", pattern=Pattern.OTHER))
    'not judged'
    """
    is_diverged = verdict.pattern is Pattern.OTHER and divergence_of(verdict) is not None
    return "diverged" if is_diverged else PATTERN_WORDS[verdict.pattern].plain


def headline_of(verdict: Verdict) -> str:
    """Return the pattern's term with the plain word for the run.

    >>> headline_of(Verdict(run="a", pattern=Pattern.OTHER))
    'Other (not judged)'
    """
    return f"{PATTERN_WORDS[verdict.pattern].term} ({plain_word(verdict)})"
