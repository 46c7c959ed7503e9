"""The glossary says of patterns, dates and events what the app says of them."""

import re
from pathlib import Path

from grokscope.dashboard.words.dates import DATES
from grokscope.dashboard.words.events import EVENT_STYLES
from grokscope.dashboard.words.patterns import PATTERN_WORDS

PAGE = (Path(__file__).parents[2] / "docs/concepts.md").read_text()
ROWS = {
    tuple(cell.strip(" `") for cell in row.split("|")[1:-1])
    for row in re.findall(r"^\|.*\|$", PAGE, re.MULTILINE)
}


def test_every_pattern_has_the_words_of_the_app():
    assert {(pattern.value, words.plain, words.sentence) for pattern, words in PATTERN_WORDS.items()} <= ROWS


def test_every_date_has_the_words_of_the_app():
    said = {re.sub(r" \(.*", "", row[0]): row[1] for row in ROWS if len(row) == 2}
    assert {name: words.sentence for name, words in DATES.items()}.items() <= said.items()


def test_every_kind_of_event_has_the_words_of_the_app():
    assert {(kind.word, style.sentence, style.date) for kind, style in EVENT_STYLES.items()} <= ROWS


def test_a_word_is_defined_once():
    words = [
        word for line in re.findall(r"^- \*\*(.+?)\*\*", PAGE, re.MULTILINE) for word in line.split(", ")
    ]
    assert len(words) > 40
    assert len({word.lower() for word in words}) == len(words)
