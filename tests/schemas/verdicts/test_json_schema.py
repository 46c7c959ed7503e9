import json
import subprocess
import sys
from dataclasses import fields

from jsonschema import Draft202012Validator

from grokscope.schemas import Kind, Pattern, Transition, Verdict
from grokscope.schemas.verdicts.json_schema import committed_schema, verdict_json_schema


def test_the_shipped_schema_is_the_one_that_the_records_make():
    assert committed_schema() == verdict_json_schema()


def test_the_module_prints_the_shipped_file():
    printed = subprocess.run(
        [sys.executable, "-m", "grokscope.schemas.verdicts.json_schema"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(printed.stdout) == committed_schema()


def test_the_schema_is_itself_a_valid_schema():
    Draft202012Validator.check_schema(committed_schema())


def test_the_schema_names_every_field_of_a_verdict_and_of_a_transition_but_the_run_said_above_it():
    schema = committed_schema()
    assert list(schema["properties"]) == [f.name for f in fields(Verdict)]
    assert ["run_id", *schema["$defs"]["Transition"]["properties"]] == [f.name for f in fields(Transition)]


def test_the_schema_lists_every_pattern_and_kind():
    schema = committed_schema()
    assert schema["properties"]["pattern"]["enum"] == [*Pattern]
    assert schema["$defs"]["Transition"]["properties"]["kind"]["enum"] == [*Kind]
