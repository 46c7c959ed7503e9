"""Every test that docs/faults.md names is there."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
NAMED = re.findall(r"\[(\w+)\]\((\S+?\.py)\)", PAGE.read_text())


def test_every_test_that_the_page_names_is_in_the_file_it_links_to():
    missing = [
        (name, file)
        for name, file in NAMED
        if not re.search(rf"^(def )?{name}\b", (PAGE.parent / file).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_every_fault_of_the_matrix_has_a_row_with_a_test():
    rows = re.findall(r"^\| (\d+) \| .*\]\(\.\./tests/", PAGE.read_text(), re.MULTILINE)
    assert [int(number) for number in rows] == [*range(1, 28)]
