"""``docs/architecture.md`` is what is there: its rooms, who imports whom, and the files that it names."""

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("schemas", "collectors", "transitions", "interventions", "experiments", "dashboard")
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text()
FILES = {
    path.relative_to(REPOSITORY / room / "grokscope"): path
    for room in ROOMS
    for path in (REPOSITORY / room / "grokscope").rglob("*.py")
}
SIDE_BY_SIDE = 13
ENTRIES = ("__init__", "__main__")


def block(heading):
    """Return the lines of the first fenced block under ``heading``."""
    _, _, rest = PAGE.partition(f"## {heading}\n")
    return re.search(r"^```\n(.*?)^```$", rest, re.MULTILINE | re.DOTALL)[1].splitlines()


def modules_by_folder():
    modules = defaultdict(list)
    for name in FILES:
        if name.stem not in ENTRIES:
            modules[name.parent].append(name.stem)
    return modules


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("grokscope."):
            yield node.module.split(".")[1]


def test_the_page_names_every_room_and_says_what_its_package_says():
    said = [re.fullmatch(r" *(\S+)/  +(\S.*)", line).groups() for line in block("Rooms")]
    sentences = {
        str(name.parent): ast.get_docstring(ast.parse(path.read_text())).splitlines()[0]
        for name, path in FILES.items()
        if name.stem == "__init__"
    }
    assert dict(said) == sentences
    assert [name for name, _ in said] == sorted({name for name, _ in said}, key=lambda name: name.split("/"))


def test_the_page_says_who_imports_whom():
    imported = defaultdict(set)
    for name, path in FILES.items():
        imported[name.parts[0]] |= set(imported_packages(path)) - {name.parts[0]}
    said = {
        package: set(others.split())
        for package, others in (line.replace(",", "").split("->") for line in block("Who imports whom"))
        for package in [package.strip()]
    }
    assert said == {package: others for package, others in imported.items() if others}


def test_every_path_that_the_page_names_is_there():
    named = re.findall(rf"`((?:{'|'.join(ROOMS)}|tests|docs|benchmarks)/[^`<]*)`", PAGE)
    assert named
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_no_room_holds_more_modules_side_by_side_than_one_can_look_over():
    crowded = {str(f): len(m) for f, m in modules_by_folder().items() if len(m) > SIDE_BY_SIDE}
    assert crowded == {}


def test_no_modules_share_a_first_word_that_would_be_a_folder():
    families = {
        (str(folder), word): count
        for folder, names in modules_by_folder().items()
        for word, count in Counter(name.partition("_")[0] for name in names).items()
        if count > 2
    }
    assert families == {}


def test_no_module_only_forwards():
    def does_something(node):
        return not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)

    forwarding = [
        str(name)
        for name, path in FILES.items()
        if name.stem not in ENTRIES and not any(map(does_something, ast.parse(path.read_text()).body))
    ]
    assert forwarding == []


def test_no_room_is_empty():
    modules = modules_by_folder()
    folders = {name.parent for name in FILES}
    assert [
        str(f) for f in folders if not modules[f] and not any(other.parent == f for other in folders)
    ] == []
