import io
import json
import re
import subprocess
import sys
import zlib
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from grokscope.dashboard.charts import DARK, LIGHT
from grokscope.dashboard.exporting import files as export
from grokscope.dashboard.exporting.figure import FigureError, drawn
from grokscope.dashboard.exporting.publication import composed, fitted
from grokscope.dashboard.exporting.sizes import SIZES, SizeError, size_of

FRAME = pl.DataFrame(
    {"run": ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx", "plain"], "step": range(6), "value": [-1.5] * 6}
)
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def svg(spec):
    """The chart twice, one under the other."""
    return export.to_svg([spec, spec])


def test_no_cell_of_a_csv_is_a_formula_and_numbers_stay_numbers():
    back = pl.read_csv(io.BytesIO(export.to_csv(FRAME)))
    assert back["run"].to_list() == [f"'{name}" for name in FRAME["run"][:5]] + ["plain"]
    assert back.drop("run").equals(FRAME.drop("run"))


def test_parquet_holds_every_value_as_it_is():
    assert pl.read_parquet(io.BytesIO(export.to_parquet(FRAME))).equals(FRAME)


def test_charts_under_each_other_become_one_figure_with_titles_and_one_key(svg):
    said = texts(svg)
    assert said.count("100%") == 2
    assert said.count("test accuracy") == said.count("step") == 2
    # Of curves by colour, of events by shape; names at the ends of lines are gone.
    assert [name for name in said if name in ("a", "b", "memorized", "onset")] == [
        "a",
        "b",
        "memorized",
        "onset",
    ]
    assert "completion" not in said


@pytest.mark.parametrize(("size", "rows"), [("double", [2, 1]), ("single", [1, 1, 1])])
def test_many_charts_stand_two_in_a_row_where_the_paper_is_wide_enough(spec, size, rows):
    whole = fitted(composed([spec] * 3), SIZES[size])
    assert [len(part.get("hconcat", [part])) for part in whole["vconcat"]] == rows
    svg = export.to_figure([spec] * 3, "svg", size=SIZES[size]).decode()
    assert f'width="{SIZES[size].width_mm:.2f}mm"' in svg


def test_a_long_title_makes_no_chart_beside_another_wider(spec):
    long = {**spec, "title": "level of a param with a long name · the quantity that is drawn " * 2}
    svg = export.to_figure([long] * 3, "svg").decode()
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    assert width == pytest.approx(SIZES["double"].width, abs=2)


def test_curves_of_charts_that_call_their_data_alike_stay_their_own(spec):
    def one_point(value):
        return {**spec, "datasets": {**spec["datasets"], "curve 0": [{"x": 0, "y": value, "line": "a"}]}}

    whole = composed([one_point(0.25), one_point(0.75), one_point(0.25)])

    def first_curve(part):
        (name,) = {
            layer["data"]["name"] for layer in part["layer"] if layer["data"]["name"].startswith("curve 0")
        }
        return whole["datasets"][name][0]["y"]

    assert [first_curve(part) for part in whole["vconcat"]] == [0.25, 0.75, 0.25]


def test_names_that_share_a_colour_but_no_dash_are_all_in_the_key():
    def channel(looks):
        scale = {"domain": ["a", "b"], "range": looks}
        return {"field": "g", "type": "nominal", "scale": scale, "legend": None}

    rows = {"values": [{"g": "a", "x": 1}, {"g": "b", "x": 2}]}
    encoding = {"x": {"field": "x"}, "color": channel(["red", "red"])}
    alike = {"data": rows, "mark": "line", "encoding": encoding}
    apart = {**alike, "encoding": {**encoding, "strokeDash": channel([[1, 0], [4, 2]])}}
    (part,) = composed([apart])["vconcat"]
    assert part["encoding"]["color"]["legend"]["values"] == ["a", "b"]
    (part,) = composed([alike])["vconcat"]
    assert part["encoding"]["color"]["legend"] is None


def test_a_figure_of_a_dark_page_is_in_the_colours_of_paper(svg):
    text = svg.decode()
    assert ET.fromstring(text).find(f"{SVG}rect").get("fill") == "#ffffff"
    assert LIGHT.of(["a", "b"])["a"] in text
    assert [colour for colour in (*DARK.series, DARK.paper, DARK.ink, LIGHT.paper) if colour in text] == []


def test_the_ring_in_the_key_is_hollow_and_the_diamond_is_filled(svg):
    symbols = [
        path.get("fill") for path in ET.fromstring(svg).iter(f"{SVG}path") if path.get("stroke") == LIGHT.ink
    ]
    assert symbols == ["white", LIGHT.ink]


@pytest.mark.parametrize(("name", "width", "height"), [("single", 85, None), ("120x80", 120, 80)])
def test_a_figure_is_as_large_as_it_is_to_be(spec, name, width, height):
    root = ET.fromstring(export.to_figure([spec], "svg", size=size_of(name)))
    assert root.get("width") == f"{width:.2f}mm"
    left, top, wide, high = map(float, root.get("viewBox").split())
    assert (left, top) == (0, 0)
    # Text of 11 pixels has 7 points: the plot took what room there was.
    assert wide == pytest.approx(width / 25.4 * 72 / 0.65, abs=1.5)
    if height:
        assert root.get("height") == f"{height:.2f}mm"
        assert high / wide == pytest.approx(height / width, rel=0.01)


@pytest.mark.parametrize("text", ["", "huge", "85 mm", "10", "9999", "85x10", "85x", "nan", "1e2"])
def test_a_size_that_no_figure_has_is_refused_with_those_that_there_are(text):
    with pytest.raises(SizeError, match="give single, double, slide, a width in mm"):
        size_of(text)


def test_a_pdf_is_vectors_with_its_font_inside_and_as_large_as_asked(spec):
    pdf = export.to_figure([spec], "pdf", size=SIZES["single"], title="Two runs")
    assert pdf.startswith(b"%PDF")
    assert b"/Subtype /Image" not in pdf
    assert set(re.findall(rb"/FontName /\w+\+([\w-]+)", pdf)) == {b"LiberationSans", b"LiberationSans-Bold"}
    assert pdf.count(b"/FontFile2") == 2
    width = float(re.search(rb"/MediaBox \[0 0 ([\d.]+)", pdf)[1])
    assert width == pytest.approx(85 / 25.4 * 72, abs=0.01)
    pages = [zlib.decompress(s) for s in re.findall(rb"stream\r?\n(x.*?)\r?\nendstream", pdf, re.DOTALL)]
    assert any(re.search(rb"\bT[jJ]\b", page) for page in pages)


def test_a_png_has_twice_the_pixels_of_a_screen(spec):
    png = export.to_figure([spec], "png", size=SIZES["single"])
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20]) == pytest.approx(85 / 25.4 * 192, abs=1)


def test_a_page_holds_all_that_it_needs_and_its_policy_lets_nothing_else_in(hostile):
    page = export.to_figure([hostile], "html", title="</script><img src=x onerror=alert(1)>").decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy.startswith("default-src &#x27;none&#x27;; script-src &#x27;sha256-")
    assert "unsafe-eval" not in policy
    head, _library, own = page.split("<script>")
    assert (page.count("<script"), page.count("</script>")) == (2, 2)
    assert not re.search(r"<(link|img|iframe|script)", head + own)


def test_a_name_is_text_whatever_is_in_it(hostile):
    svg = export.to_figure([hostile], "svg", size=SIZES["single"], title="a\x00]]>")
    said = texts(svg)
    assert "a\\x00]]>" in said
    (name,) = [text for text in said if text.startswith("<script>")]
    # Cut to the room that there is; what turns or does not print is written out.
    assert len(name) < 100
    assert "\\x00" in name
    assert [tag for tag in ET.fromstring(svg).iter() if tag.tag == f"{SVG}script"] == []


def test_layered_faceted_and_concatenated_charts_are_figures():
    data = {"values": [{"x": i, "y": i * i, "g": "ab"[i % 2]} for i in range(6)]}
    plot = {"mark": "line", "encoding": {"x": {"field": "x", "type": "quantitative", "title": None},
                                         "y": {"field": "y", "type": "quantitative"}}}  # fmt: skip
    facet = {"data": data, "facet": {"field": "g", "type": "nominal"}, "columns": 2, "spec": plot}
    beside = {"data": data, "hconcat": [plot, {"layer": [plot, plot]}]}
    svg = export.to_figure([plot | {"data": data}, facet, beside], "svg", size=SIZES["single"])
    assert float(ET.fromstring(svg).get("viewBox").split()[2]) == pytest.approx(370.7, abs=6)
    assert texts(svg).count("x") == 5


def test_a_chart_that_cannot_be_drawn_is_refused_with_a_sentence():
    with pytest.raises(FigureError, match="the figure could not be drawn: TypeError: "):
        drawn({"mark": "no such mark"}, "svg")


def test_the_server_never_loads_the_converter_which_keeps_pythons_lock_while_it_draws():
    code = "import sys, grokscope.dashboard.views; from grokscope.dashboard.exporting import files; "
    code += "files.to_svg([{'data': {'values': []}, 'mark': 'bar'}]); print('vl_convert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_nothing_answers_a_pointer_on_paper_and_all_that_did_answers_in_a_page(spec):
    whole = composed([spec])
    paper, page = (fitted(whole, SIZES["double"], hover=hover) for hover in (False, True))
    assert '"param' not in json.dumps(whole)
    layers = [[layer.get("name") for layer in one["vconcat"][0]["layer"]] for one in (paper, page)]
    assert ["hover" in names for names in layers] == [False, True]
    assert spec == json.loads(json.dumps(spec))


@pytest.mark.browser
def test_a_page_draws_itself_in_a_browser_and_asks_for_nothing(hostile, open_page, tmp_path):
    path = tmp_path / "figure.html"
    path.write_bytes(export.to_figure([hostile], "html", title="</script><script>document.title = 'evil'"))
    page = open_page("about:blank")
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("#figure svg")
    assert (asked, said, page.title()) == ([path.as_uri()], [], "Figure")
