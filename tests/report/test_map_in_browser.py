"""The page of `wgorch map` in a real browser, without a network: every host, paths, mouse and keyboard.

Chromium is started once for each test, headless, with a profile of its own; it is driven through ChromeDriver.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.test_map import ROOT, star
from wgorch.errors import HostError
from wgorch.inventory.load import load, loads
from wgorch.outcome import Status
from wgorch.report.map.map import Map
from wgorch.topology.topology import build

pytestmark = pytest.mark.lab  # ChromeDriver is spoken to over a socket of this machine

OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
    "--force-color-profile=srgb",
]


@pytest.fixture(params=["light", "dark"])
def browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for option in (*OPTIONS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    if request.param == "dark":
        options.add_argument("--force-dark-mode")
        options.add_argument("--blink-settings=preferredColorScheme=0")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


def opened(driver: object, drawn: Map, tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    page.write_text(drawn.html())
    driver.get(page.as_uri())  # type: ignore[attr-defined]


@pytest.mark.parametrize("hosts", [3, 12, 60])
def test_the_page_draws_every_host(browser: object, tmp_path: Path, hosts: int) -> None:
    from selenium.webdriver.common.by import By

    opened(browser, Map(build(loads(star(hosts)))), tmp_path)
    boxes = browser.find_elements(By.CSS_SELECTOR, ".box")  # type: ignore[attr-defined]
    assert len(boxes) == hosts
    shot = Path(os.environ.get("WGORCH_SCREENSHOTS", tmp_path)) / f"map-{hosts}-{_scheme(browser)}.png"
    assert browser.save_screenshot(str(shot))  # type: ignore[attr-defined]
    assert shot.stat().st_size > 10_000
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]  # type: ignore[attr-defined]
    assert errors == []
    places = [box.rect for box in boxes]
    inside = [
        r for r in places if 0 <= r["x"] and r["x"] + r["width"] <= 1400 and 0 <= r["y"] and r["y"] + r["height"] <= 900
    ]
    assert len(inside) == hosts, "the whole network is seen at first"


def _scheme(driver: object) -> str:
    dark = driver.execute_script("return matchMedia('(prefers-color-scheme: dark)').matches")  # type: ignore[attr-defined]
    return "dark" if dark else "light"


def test_two_hosts_chosen_show_the_path_by_mouse_and_by_keys(browser: object, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    opened(browser, Map(build(load(ROOT / "inventory" / "home-company.yaml"))), tmp_path)

    def box(name: str) -> object:
        return browser.find_element(By.CSS_SELECTOR, f'.box[data-name="{name}"]')  # type: ignore[attr-defined]

    def detail() -> str:
        return str(browser.find_element(By.ID, "detail").text)  # type: ignore[attr-defined]

    def path_edges() -> int:
        return len(browser.find_elements(By.CSS_SELECTOR, ".tunnel.path"))  # type: ignore[attr-defined]

    box("home").click()  # type: ignore[attr-defined]
    assert "192.168.2.2" in detail()
    box("company").click()  # type: ignore[attr-defined]
    assert detail().startswith("home → bcc → company")
    assert path_edges() == 2

    body = browser.find_element(By.TAG_NAME, "body")  # type: ignore[attr-defined]
    body.send_keys(Keys.ESCAPE)
    assert path_edges() == 0
    box("bcc").send_keys(Keys.ENTER)  # type: ignore[attr-defined]
    box("home").send_keys(Keys.ENTER)  # type: ignore[attr-defined]
    assert detail().startswith("bcc → home")

    def view() -> list[float]:
        return [float(n) for n in browser.find_element(By.ID, "map").get_dom_attribute("viewBox").split()]  # type: ignore[attr-defined]

    first = view()
    body.send_keys("+")
    assert view()[2] < first[2]
    body.send_keys(Keys.ARROW_RIGHT)
    assert view()[0] > first[0]
    body.send_keys("0")
    assert view() == pytest.approx(first, abs=1)
    # Every box can be reached by Tab alone.
    reached = set()
    for _ in range(4):
        body.send_keys(Keys.TAB)
        reached.add(browser.execute_script("return document.activeElement.dataset.name || ''"))  # type: ignore[attr-defined]
    assert {"home", "bcc", "company"} <= reached


HOSTILE = [
    "' onfocus=document.title=9 @DATA@",
    '" onfocus="document.title=9" x="',
    "</script><script>document.title=9</script>",
    "</title></svg><img src=x onerror=document.title=9>",
    "<style>*{display:none}</style>",
    "]]><script>document.title=9</script>",
    "javascript:document.title=9",
    "\\u003cscript\\u003edocument.title=9",
    "${document.title=9}{{document.title=9}}",
    "\x1b]0;9\x07\u202e\u2028document.title=9//",
    "&lt;script&gt;&#x27; onload=document.title=9",
]
"""What hosts answer; each is in the page as text, and nothing of it runs."""


def test_nothing_that_a_host_answers_runs_in_the_page(browser: object, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    topology = build(loads(star(len(HOSTILE) + 1)))
    unreachable = {
        name: HostError(name, "connect", text)
        for name, text in zip(topology.hosts, [*HOSTILE, HOSTILE[0]], strict=True)
    }
    opened(browser, Map(topology, Status(2, {}, {}, unreachable, {})), tmp_path)
    title = browser.title  # type: ignore[attr-defined]
    boxes = browser.find_elements(By.CSS_SELECTOR, ".box")  # type: ignore[attr-defined]
    for box in boxes:
        box.click()
        box.send_keys(Keys.ENTER)
    body = browser.find_element(By.TAG_NAME, "body")  # type: ignore[attr-defined]
    for _ in range(len(boxes) + 3):
        body.send_keys(Keys.TAB)

    assert len(boxes) == len(HOSTILE) + 1
    assert all(box.is_displayed() for box in boxes)
    assert (title, 2, 0) == (
        browser.title,  # type: ignore[attr-defined]
        len(browser.find_elements(By.TAG_NAME, "script")),  # type: ignore[attr-defined]
        len(browser.find_elements(By.TAG_NAME, "img")),  # type: ignore[attr-defined]
    )
    foreign = (
        "return [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on')))"
    )
    assert browser.execute_script(foreign) == []  # type: ignore[attr-defined]
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []  # type: ignore[attr-defined]


def test_script_in_the_page_is_refused_by_its_policy(browser: object, tmp_path: Path) -> None:
    """The second line of defence: even an element that got into the page would not run."""
    page = tmp_path / "map.html"
    text = Map(build(loads(star(3)))).html()
    page.write_text(
        text.replace("</body>", "<img src=x onerror='document.title=9'><script>document.title=9</script></body>")
    )
    browser.get(page.as_uri())  # type: ignore[attr-defined]

    assert browser.title != "9"  # type: ignore[attr-defined]
    said = " ".join(entry["message"] for entry in browser.get_log("browser"))  # type: ignore[attr-defined]
    assert "Content Security Policy" in said
