"""A researcher's day with the app: each task in a browser, what it takes counted, its answer checked.

A task begins where the app opens, the experiment chosen; a click, a key and an entry count one each. What
each takes stands in ``docs/tour.md``, which these tests hold true.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200, func_only=True)]
TOUR = Path(__file__).parents[3] / "docs" / "tour.md"
MOST = 4


@pytest.fixture
def takes(hands):
    """Hold what was done against the tour's table: ``takes("question")``."""
    table = dict(re.findall(r"^\| (.+?) \| (\d+) \|", TOUR.read_text(), re.MULTILINE))

    def held(task):
        assert hands.done == int(table[task]) <= MOST, f"{task} takes {hands.done}"

    return held


def test_which_weight_decay_groks_earliest_is_said_with_its_uncertainty(hands, takes):
    page = hands.begin("sweep")
    hands.open("Interventions")
    hands.pick("steps")
    hands.choose("Group by", "weight_decay")
    takes("Which weight decay groks earliest, and how sure is that?")
    said = page.locator(".st-key-interventions_answer")
    expect(said).to_contain_text("3.0 comes first (4 of 6 runs generalized, median 1,911 steps [")
    expect(said).to_contain_text("no difference is shown")


def test_three_runs_lie_side_by_side_with_what_their_configs_differ_in(hands, takes):
    page = hands.begin("sweep")
    hands.open("Runs")
    hands.tick("runs_table", 0)
    hands.tick("runs_table", 2, all_between=True)
    hands.press("Compare 3 runs")
    takes("In what do three runs differ?")
    expect(page.get_by_text("Only 3 selected")).to_be_visible()
    page.get_by_role("heading", name="Configs that differ").wait_for()
    cells = hands.cells(0)
    expect(cells.filter(has_text="intervention.data.fraction")).to_be_attached()
    said = cells.all_text_contents()
    at = said.index("intervention.data.fraction")
    assert said[at + 1 : at + 4] == ["0.5", "0.4", "0.3"]


def test_two_groups_are_drawn_from_their_onsets_and_a_link_shows_the_same_groups(hands, takes, open_page):
    page = hands.begin("sweep")
    hands.open("Compare")
    hands.click(page.get_by_role("button", name="Only weight_decay=0.3, train_fraction=0.5"))
    other = page.locator(".st-key-rail_groups label").filter(has_text=re.compile("decay=1.0,.*=0.4"))
    expect(other.get_by_role("checkbox")).not_to_be_checked()
    hands.click(other)
    hands.pick("onset")
    takes("What do two groups do around their onsets?")
    both = "weight_decay=0.3, train_fraction=0.5weight_decay=1.0, train_fraction=0.4"
    expect(page.locator(".linked-charts .legend")).to_have_text(both)
    expect(page.get_by_text("band: lowest – highest")).to_be_visible()
    other = open_page(page.url)
    expect(other.locator(".linked-charts .legend")).to_have_text(both)
    other.context.close()


def test_what_collapsed_is_counted_and_dated(hands, takes):
    page = hands.begin("digits")
    hands.enter("Find runs", "pattern = collapse")
    hands.key("Enter")
    expect(page.get_by_text("1 of 3 runs")).to_be_visible()
    hands.open("Runs")
    takes("Which runs lost it again, and when?")
    cells = hands.cells(0)
    expect(cells.filter(has_text="digits_lost")).to_be_attached()
    assert "50" in cells.all_text_contents()


def test_an_onset_is_put_right_by_hand(hands, takes):
    page = hands.begin("sweep")
    hands.open("Run")
    row = page.locator(".st-key-review_rows [class*=st-key-review_onset_]").filter(has_text="Confirm").first
    hands.click(row.get_by_role("button", name="Move"))
    hands.enter("Step of onset", "400")
    hands.press("Move it here")
    takes("How is an onset put right?")
    expect(row).to_contain_text("400 [400, 400]")
    expect(row).to_contain_text("moved from 370 by a person")
    row.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("confirmed by the detector")


def test_a_figure_of_the_charts_has_axis_titles_and_a_key(hands, takes, tmp_path):
    page = hands.begin("sweep")
    hands.open("Compare")
    hands.click(page.get_by_text("Data and figure").first)
    with page.expect_download() as got:
        hands.click(page.locator(".st-key-compare_figure_SVG button"))
    takes("Where is a figure for a paper?")
    got.value.save_as(tmp_path / "figure.svg")
    with page.expect_download() as got:
        page.locator(".st-key-compare_figure_PDF button").click()
    got.value.save_as(tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    drawn = (tmp_path / "figure.svg").read_text()
    assert all(word in drawn for word in ("accuracy", "steps", "weight_decay=3.0, train_fraction=0.5"))


def test_where_runs_grok_and_how_many_are_not_there_yet_stand_on_one_page(hands, takes):
    page = hands.begin("sweep")
    hands.open("Interventions")
    takes("At which pairs of settings do runs grok?")
    takes("How many runs are not there yet, of how many?")
    expect(page.get_by_text("15 cells of weight_decay by fraction; in 3 all do, in 12 none")).to_be_visible()
    expect(page.get_by_text("Under the axis: runs still on their way")).to_be_visible()


def test_the_browser_is_asked_to_tell_of_events(hands, takes):
    page = hands.begin("sweep")
    hands.click(page.get_by_text("Notify me of new events"))
    takes("Can it tell me when something happens?")
    expect(page.locator(".st-key-live_notify input")).to_be_checked()


def test_a_query_finds_the_runs_that_grokked_at_a_rate(hands, takes):
    page = hands.begin("sweep")
    hands.enter("Find runs", "lr > 0.001 and pattern = grokking")
    hands.key("Enter")
    takes("Which runs are `lr > 0.001 and pattern = grokking`?")
    expect(page.get_by_text("10 of 30 runs")).to_be_visible()


def test_a_query_is_completed_while_it_is_typed(hands):
    page = hands.begin("sweep")
    field = page.get_by_label("Find runs", exact=True)
    offers = page.get_by_role("option")
    field.press_sequentially("weight_d")
    expect(offers.first).to_have_text("weight_decayparam")
    for key in ("ArrowDown", "Enter"):
        field.press(key)
    expect(field).to_have_value("weight_decay ")
    expect(offers.first).to_have_text("=sign")
    for key in ("ArrowDown", "Tab"):
        field.press(key)
    expect(offers).to_have_text([f"{value}value" for value in ("0.0", "0.1", "0.3", "1.0", "3.0")])
    offers.nth(4).click()
    expect(offers.first).to_have_text("andword")
    field.press("Escape")
    expect(offers).to_have_count(0)
    field.press("Enter")
    expect(page.get_by_text("6 of 30 runs")).to_be_visible()
    expect(page).to_have_url(re.compile("where=weight_decay"))


def test_what_each_layer_did_and_how_a_run_was_made_is_one_click_away(hands, takes):
    page = hands.begin("digits")
    hands.open("Run")
    hands.pick("Layers")
    takes("What did each layer do?")
    heatmaps = page.get_by_role("img").filter(has_text="participation ratio")
    expect(heatmaps.first).to_be_attached()
    hands.begin("digits")
    hands.open("Run")
    hands.pick("Setup")
    takes("From which code and on what machine was it made?")
    expect(page.get_by_text("0d714b0aa1f5")).to_be_visible()
    expect(page.get_by_text("cpu_utilization_percentage 41.5")).to_be_visible()


def test_a_report_of_ticked_runs_is_one_file(hands, takes, tmp_path):
    page = hands.begin("digits")
    hands.open("Runs")
    hands.tick("runs_table", 0)
    hands.press("Report")
    with page.expect_download() as got:
        hands.click(page.get_by_role("button", name="HTML"))
    takes("Where is a report?")
    got.value.save_as(tmp_path / "report.html")
    told = (tmp_path / "report.html").read_text()
    assert "digits_bad_start" in told
    assert "digits_few" not in told
    assert "<svg" in told  # the curves that the run is judged by


def test_looking_at_one_run_leaves_the_other_pages_with_all(hands):
    page = hands.begin("digits")
    hands.open("Runs")
    hands.tick("runs_table", 0)
    hands.press("Open run")
    menu = page.locator(".st-key-menu")
    expect(menu.get_by_role("link", name="Run", exact=True)).to_have_attribute("href", re.compile("runs="))
    link = menu.get_by_role("link", name="Compare", exact=True)
    expect(link).to_have_attribute("href", re.compile("experiment="))
    expect(link).not_to_have_attribute("href", re.compile("runs="))


def test_a_tag_is_put_on_a_ticked_run_and_finds_it(hands):
    page = hands.begin("digits")
    hands.open("Runs")
    hands.tick("runs_table", 0)
    hands.press("Tag")
    page.get_by_role("textbox", name="Tag", exact=True).fill("keep")
    hands.press("Add to 1 run")
    hands.enter("Find runs", "tag.keep")
    hands.key("Enter")
    expect(page.get_by_text("1 of 3 runs")).to_be_visible()


def test_a_run_is_archived_and_brought_back(hands, takes):
    page = hands.begin("digits")
    hands.open("Runs")
    hands.tick("runs_table", 0)
    hands.press("Archive")
    takes("How is a run put away?")
    expect(page.get_by_text("1 run archived")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 runs ·").first).to_be_visible()


def test_a_note_is_left_on_a_run(hands, takes):
    page = hands.begin("digits")
    hands.open("Run")
    hands.press("Note on the run")
    hands.enter("MLflow shows it as the run's description", "look again")
    hands.press("Keep the note")
    takes("How is a note left?")
    expect(page.get_by_text("look again").first).to_be_visible()


def test_another_metric_is_drawn_beside_the_others(hands, takes):
    page = hands.begin("sweep")
    hands.open("Compare")
    hands.choose("Charts", "progress/flops")
    takes("How is another metric drawn?")
    expect(page.locator(".linked-charts")).to_contain_text("training FLOPs")


def test_curves_are_smoothed_on_a_scale_of_choice(hands, takes):
    page = hands.begin("sweep")
    hands.open("Compare")
    hands.press("Curves")
    hands.choose("Smoothing", "EMA 0.9")
    takes("Can I smooth curves?")
    expect(page.get_by_text("Smoothed for the eye: the faint curves are what was logged")).to_be_visible()
    page.get_by_role("radiogroup", name="Y-axes").get_by_role("radio", name="log").click()
    expect(page).to_have_url(re.compile("compare_y=log"))
