from grokscope.dashboard.tables.config_diff import CODE, config_diff

PARAMS = {
    "a": {"lr": "0.1", "wd": "1", "api_key": "abc", "seed": "0"},
    "b": {"lr": "0.1", "wd": "2", "api_key": "xyz", "seed": "0"},
    "c": {"lr": "0.1", "wd": "10", "seed": "0", "<b>": "x\ny"},
}
LABELS = {"a": "first", "b": "second", "c": "third"}


def test_only_what_differs_is_a_row_and_runs_without_it_are_said():
    table = config_diff(LABELS, PARAMS, {})
    assert table.columns == ["name", "first", "second", "third"]
    assert [row for row in table.rows() if row[0] != "api_key"] == [
        ("<b>", "–", "–", "x y"),
        ("wd", "1", "2", "10"),
    ]


def test_secrets_are_not_shown():
    assert not {"abc", "xyz"} & {cell for row in config_diff(LABELS, PARAMS, {}).rows() for cell in row}


def test_the_code_comes_first_and_short():
    tags = {"a": {CODE: "a" * 40}, "b": {CODE: "b" * 40}, "c": {CODE: "a" * 40}}
    assert config_diff(LABELS, PARAMS, tags).row(0) == ("code version", "a" * 12, "b" * 12, "a" * 12)


def test_runs_that_are_alike_have_no_rows():
    assert config_diff({"a": "1", "b": "2"}, {"a": {"lr": "1"}, "b": {"lr": "1"}}, {}).is_empty()
