"""Figure bundles draw the same again; what is damaged or means harm is refused in one sentence."""

import io
import json
import zipfile

import polars as pl
import pytest

from grokscope.dashboard.exporting.archive import BundleError, zipped
from grokscope.dashboard.exporting.bundle import read_bundle, to_bundle
from grokscope.dashboard.exporting.sizes import SIZES
from grokscope.dashboard.exporting.untrusted import UntrustedError, check_chart
from grokscope.schemas.files.parquet_check import ParquetCheck


def contents(bundle):
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(bundle, **settings):
    """Return a bundle whose chart has these entries besides."""
    files = contents(bundle)
    chart = json.loads(files["spec.json"])
    chart["vconcat"][0] |= settings
    return zipped(files | {"spec.json": json.dumps(chart).encode()})


def parquet(frame):
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def test_a_bundle_holds_what_its_readme_says(bundle):
    files = contents(bundle)
    assert {name for name in files if not name.startswith("data/")} == {
        "README.txt", "figure.svg", "frames/curves.parquet", "settings.json", "spec.json"
    }  # fmt: skip
    settings = json.loads(files["settings.json"])
    assert settings["asked"] == {"experiment": "e"}
    assert settings["size"]["width_mm"] == 85
    assert settings["versions"].keys() == {"grokscope", "altair", "vl-convert-python", "polars"}
    assert b'"values": [\n' not in files["spec.json"].partition(b'"data"')[0]
    assert all(
        name in files["README.txt"].decode() for name in ("figure.svg", "spec.json", "data/", "frames/")
    )


def test_a_bundle_draws_the_same_figure_again(bundle):
    read = read_bundle(bundle)
    assert read.figure.startswith(b"<svg")
    assert read.drawn("svg") == read.figure


def test_the_same_figure_is_the_same_bundle(bundle, spec):
    frames = {"curves": pl.DataFrame({"run": ["a"], "step": [1]})}
    again = to_bundle([spec], frames, asked={"experiment": "e"}, size=SIZES["single"], title="Two <runs>")
    assert again == bundle


@pytest.mark.parametrize(
    "entry",
    [
        {"data": {"url": "http://127.0.0.1:9/x.csv"}},
        {"data": {"name": "drawn-99"}},
        {"data": {"values": [{"a": 1}]}},
        {"data": {"sequence": {"start": 0, "stop": 1e12}}},
        {"encoding": {"href": {"field": "run"}}},
        {"encoding": {"url": {"value": "http://127.0.0.1:9"}}, "mark": "image"},
        {"mark": "image"},
        {"mark": {"type": "geoshape"}},
        {"transform": [{"calculate": "1", "as": "x"}]},
        {"transform": [{"filter": "replace(datum.run, /(a+)+$/, '')"}]},
        {"transform": [{"filter": {"and": ["sequence(1e9).length > 1"]}}]},
        {"transform": [{"filter": "datum['constructor']['constructor']('return 1')()"}]},
        {"transform": [{"impute": "a", "key": "b", "keyvals": {"start": 0, "stop": 1e9}}]},
        {"params": [{"name": "p", "expr": "1"}]},
        {"mark": {"type": "text", "text": {"expr": "'x'"}}},
        {"encoding": {"x": {"axis": {"tickCount": 1e9}}}},
        {"encoding": {"x": {"bin": {"maxbins": 1e9}}}},
    ],
)  # fmt: skip
def test_a_chart_that_would_load_link_or_compute_more_is_refused(bundle, entry):
    with pytest.raises(UntrustedError, match=r"^the chart (has|names) "):
        read_bundle(changed(bundle, **entry))


def test_all_that_charts_of_grokscope_compute_is_drawn(bundle):
    files = contents(bundle)
    check_chart(json.loads(files["spec.json"]), [f"drawn-{i}" for i in range(9)])


def test_a_chart_nested_without_end_is_refused():
    chart = {"mark": "line"}
    for _ in range(200):
        chart = {"spec": chart}
    with pytest.raises(UntrustedError, match="nested deeper than"):
        check_chart(chart, [])


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/etc/x", "data/../../x.parquet", "data/drawn-1.exe", "C:\\x", "x\x1b[31m"]
)
def test_a_name_that_no_bundle_has_is_refused(bundle, name):
    with pytest.raises(BundleError, match="a figure bundle holds no file '") as refused:
        read_bundle(zipped(contents(bundle) | {name: b"x"}))
    assert str(refused.value).isprintable()


def test_what_unpacks_to_too_much_is_not_unpacked(bundle):
    with pytest.raises(BundleError, match="unpacks to more than 256 MB"):
        read_bundle(zipped(contents(bundle) | {"frames/a.parquet": bytes(2**28)}))
    with pytest.raises(BundleError, match=r"README\.txt in this figure bundle is larger than 8 MB"):
        read_bundle(zipped(contents(bundle) | {"README.txt": bytes(2**24)}))


def test_a_file_of_more_rows_than_a_figure_draws_is_refused_before_they_are_read(bundle):
    rows = pl.select(x=pl.repeat(0, 600_000))
    with pytest.raises(BundleError, match="draws more than 500,000 rows"):
        read_bundle(zipped(contents(bundle) | {"data/drawn-1.parquet": parquet(rows)}))


def test_data_that_are_no_numbers_and_texts_are_refused(bundle):
    nested = pl.DataFrame({"x": [[1, 2]]})
    with pytest.raises(BundleError, match="more than numbers and texts"):
        read_bundle(zipped(contents(bundle) | {"data/drawn-1.parquet": parquet(nested)}))


def test_texts_that_a_small_file_repeats_to_more_than_memory_are_not_unpacked(bundle):
    long = pl.DataFrame({"x": pl.Series(["x" * 1_000_000] * 300)})
    with pytest.raises(BundleError, match=r"(unpacks|have more) t(o more than|han) 256 Mi?B"):
        read_bundle(zipped(contents(bundle) | {"data/drawn-1.parquet": parquet(long)}))


def test_no_byte_of_the_data_ends_the_process_that_reads_a_bundle(bundle):
    """Polars asks for 2⁶¹ bytes where one byte of a page's head is another, and ends its process."""
    files = contents(bundle)
    data = files["data/drawn-1.parquet"]
    with ParquetCheck(most_bytes=2**28) as check:
        damaged = (data[:at] + b"\x7f" + data[at + 1 :] for at in range(4, len(data)))
        fatal = next(one for one in damaged if "within the memory" in str(check.problem(one)))
    with pytest.raises(BundleError, match=r"data/drawn-1\.parquet in this figure bundle is not opened: it "):
        read_bundle(zipped(files | {"data/drawn-1.parquet": fatal}))


@pytest.mark.parametrize(
    "size", [{"width_mm": 10**400}, {"pixel_pt": 10**400}, {"height_mm": "80"}, {"width_mm": None}, {"x": 1}]
)
def test_a_size_that_no_figure_has_is_refused(bundle, size):
    files = contents(bundle)
    settings = json.loads(files["settings.json"])
    settings["size"] = settings["size"] | size if "x" not in size else [1]
    with pytest.raises(BundleError, match="has no size"):
        read_bundle(zipped(files | {"settings.json": json.dumps(settings).encode()}))


@pytest.mark.parametrize("name", ["spec.json", "settings.json", "data/drawn-1.parquet"])
@pytest.mark.parametrize("content", [b"", b"[", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}'])
def test_a_bundle_with_a_damaged_file_is_refused(bundle, name, content):
    with pytest.raises((BundleError, UntrustedError)):
        read_bundle(zipped(contents(bundle) | {name: content}))


@pytest.mark.parametrize("name", ["spec.json", "settings.json", "figure.svg"])
def test_a_bundle_without_a_file_is_refused(bundle, name):
    files = contents(bundle)
    del files[name]
    with pytest.raises(BundleError, match=f"this is no figure bundle: {name} is missing"):
        read_bundle(zipped(files))


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.9])
def test_half_a_bundle_is_refused(bundle, kept):
    whole = len(bundle)
    with pytest.raises(BundleError, match="damaged"):
        read_bundle(bundle[: int(kept * whole) if isinstance(kept, float) else kept])


def test_no_changed_byte_brings_it_down(bundle):
    for at in range(0, len(bundle), 997):
        broken = bytearray(bundle)
        broken[at] ^= 0xFF
        try:
            read_bundle(bytes(broken))
        except (BundleError, UntrustedError):
            continue


def test_data_with_mixed_kinds_are_refused_when_they_are_exported(spec):
    odd = {"data": {"values": [{"x": 1}, {"x": "a"}, {"x": [1]}]}, "mark": "bar", "encoding": {}}
    with pytest.raises(BundleError, match="no table of numbers and texts"):
        to_bundle([odd], {}, asked={})
