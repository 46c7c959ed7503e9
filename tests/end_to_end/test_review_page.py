"""A person reviews a run with the mouse: confirms, moves and undoes a date; the page shows it at once."""

import pytest
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient
from playwright.sync_api import expect

from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200, func_only=True)]
SHOWN = "[data-testid=stVerticalBlock].st-key-review_rows"


@pytest.fixture(scope="module")
def address(tmp_path_factory, dashboard):
    """The dashboard on a store with one run that groks."""
    folder = tmp_path_factory.mktemp("reviewed")
    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment("e"), run_name="groks").info.run_id
    rows = synthetic_run(CurveRecipe(evaluations=60)).select("metric", "value", "step").rows()
    client.log_batch(run, metrics=[Metric(metric, value, 1_000 + step, step) for metric, value, step in rows])
    client.set_terminated(run)
    with dashboard(uri, folder / "home") as served:
        yield f"{served}/run", client, run


def test_a_date_is_confirmed_moved_and_undone_with_the_mouse(address, open_page):
    page, client, run = open_page(address[0]), *address[1:]
    rows = page.locator(SHOWN)
    row = rows.locator("[class*=st-key-review_onset_]").filter(has_text="Confirm").first
    expect(row).to_contain_text("confirmed by the detector")
    page.get_by_label("Reviewed by").fill("ann")
    page.get_by_label("Reviewed by").press("Enter")
    row.get_by_role("button", name="Confirm").click()
    expect(row).to_contain_text("confirmed by ann")
    detected = client.get_run(run).data.tags["grokscope.review.onset_step"]
    row.get_by_role("button", name="Move").click()
    page.get_by_label("Step of onset").fill("1234")
    page.get_by_label("Step of onset").press("Enter")
    page.get_by_role("button", name="Move it here").click()
    expect(row).to_contain_text("1,234 [1,234, 1,234]")
    expect(row).to_contain_text(f"moved from {int(detected):,} by ann")
    expect(page.get_by_text("onset at step 1,234", exact=False).first).to_be_visible()
    assert client.get_run(run).data.tags["grokscope.review.onset_step"] == "1234"
    for said in ("confirmed by ann", "confirmed by the detector"):
        page.keyboard.press("Escape")  # closes what Move has opened
        row.get_by_role("button", name="Undo").click()
        expect(row).to_contain_text(said)
    assert not [tag for tag in client.get_run(run).data.tags if tag.startswith("grokscope.review.")]


def chosen(page):
    """The mark of the onset on the chart, and where it is said to be."""
    return page.locator(".dated").get_by_role("slider", name="onset, step")


def step_of(mark):
    return int(mark.get_attribute("aria-valuenow"))


def drag(page, mark, *, by):
    box = mark.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by / 2, y, steps=3)
    page.mouse.move(x + by, y, steps=3)
    page.mouse.up()


def reviews(client, run):
    return {key: value for key, value in client.get_run(run).data.tags.items() if "grokscope.review." in key}


def test_a_date_is_moved_and_added_on_the_chart_with_the_mouse_and_with_keys(address, open_page):
    page, client, run = open_page(address[0]), *address[1:]
    mark, chart = chosen(page), page.locator(".dated")
    row = page.locator(SHOWN).locator("[class*=st-key-review_onset_]").filter(has_text="Confirm").first
    page.get_by_label("Reviewed by").fill("ann")
    page.get_by_label("Reviewed by").press("Enter")
    page.wait_for_timeout(300)  # the page is drawn anew with the name, beneath the hand
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    mark.scroll_into_view_if_needed()
    detected = step_of(mark)
    drag(page, mark, by=30)
    dragged = step_of(mark)
    assert dragged > detected
    expect(chart).to_contain_text(f"Move onset from step {detected:,} to {dragged:,} as ann")
    assert reviews(client, run) == {}  # nothing is kept before it is confirmed
    mark.press("Escape")
    assert step_of(mark) == detected
    drag(page, mark, by=30)
    chart.get_by_role("button", name="Move it here").click()
    expect(row).to_contain_text(f"moved from {detected:,} by ann")
    expect(chart).not_to_contain_text("Keeping it")
    mark.press("ArrowLeft")
    before = step_of(mark)
    assert before < dragged
    mark.press("Enter")
    expect(row).to_contain_text(f"{before:,} [{before:,}, {before:,}]")
    assert reviews(client, run)["grokscope.review.onset_step"] == str(before)
    # One after the other: two clicks before the page has answered are one to Streamlit.
    for said in (f"{dragged:,} [{dragged:,}, {dragged:,}]", "confirmed by the detector"):
        row.get_by_role("button", name="Undo").click()
        expect(row).to_contain_text(said)

    chart.get_by_role("button", name="Add an event here").click()
    plot = chart.locator(".plot").bounding_box()
    page.mouse.click(plot["x"] + plot["width"] * 0.5, plot["y"] + plot["height"] * 0.5)
    added = step_of(chart.get_by_role("slider", name="new event, step"))
    chart.get_by_label("Event", exact=True).select_option(label="collapse")
    chart.get_by_role("button", name="Add it").click()
    own = page.locator(SHOWN).locator("[class*=st-key-review_collapse_]").filter(has_text="Confirm").first
    expect(own).to_contain_text(f"{added:,} [{added:,}, {added:,}]")
    expect(own).to_contain_text("added by ann")
    own.get_by_role("button", name="Undo").click()
    expect(own).to_have_count(0)
    assert reviews(client, run) == {}
