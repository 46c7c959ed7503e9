import pytest

from grokscope.dashboard.words.escaping import escape

TOPICS = [
    "Store",
    "This machine",
    "Lost data",
    "Runs without a verdict",
    "Detectors",
    "What measuring costs",
    "Imports",
]
WORDS = {":green-badge[fine]", ":orange-badge[look]", ":red-badge[wrong]"}


def lines(app):
    return [line for table in app.table for line in table.value.to_dict("records")]


def test_there_is_a_table_a_topic_and_each_line_says_how_it_is(page, sweep):
    app = page("health", sweep.uri)
    assert [s.value for s in app.subheader] == TOPICS
    assert {line["is"] for line in lines(app)} <= WORDS
    assert all(line["what"] and line["found"] for line in lines(app))


def test_without_a_run_the_store_and_the_machine_are_told_all_the_same(page, training):
    app = page("health", training.uri, experiment=None)
    assert [s.value for s in app.subheader] == ["No runs yet", *TOPICS[:2]]


def test_a_store_that_cannot_be_read_is_wrong(page, tmp_path):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is not a database" * 100)
    app = page("health", f"sqlite:///{broken}", experiment=None)
    assert ":red-badge[wrong]" in {line["is"] for line in lines(app)}


@pytest.mark.parametrize("evil", ["![b](http://evil.example/x.png) <img src=x onerror=alert(1)> :red[r]"])
def test_names_of_runs_and_notes_of_imports_are_escaped(page, training, evil):
    run = training.run(training.experiment("evil"), evil, [])
    for name in ("grokscope.import.kind", "grokscope.import.notes", "grokscope.damage", "grokscope.detector"):
        training.client.set_tag(run, name, evil)
    cells = [
        str(cell) for line in lines(page("health", training.uri, experiment="evil")) for cell in line.values()
    ]
    assert any("evil" in cell for cell in cells)
    assert all(
        "evil" not in cell.replace(escape(evil, limit=80), "").replace(escape(evil), "") for cell in cells
    )
