"""Links between documents, anchors included, as a code host follows them."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [*REPOSITORY.glob("*.md"), *sorted((REPOSITORY / "docs").rglob("*.md"))]


def _anchors(text: str) -> set[str]:
    """What a code host calls the headings of a document."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", plain, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(anchor if anchor not in found else f"{anchor}-1")
    return found


def test_every_anchor_that_a_document_links_to_is_a_heading_there():
    wrong, seen = [], 0
    for document in DOCUMENTS:
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", document.read_text()):
            path = document.parent / target if target else document
            seen += 1
            if path.suffix == ".md" and anchor not in _anchors(path.read_text()):
                wrong.append(f"{document.name}: {target}#{anchor}")
    assert wrong == []
    assert seen > 15
