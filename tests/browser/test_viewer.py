"""The page in a real browser: opened, zoomed, searched, by mouse and by keys; hostile names do nothing.

Shares are counted by hand from the profile that `example` builds: 100 samples in 10 s on two threads.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from invivo.flame.diff import difference
from invivo.flame.files import write_profile
from invivo.flame.profile import Frame, Kind, Profile, Thread
from tests.browser.browser import Browser

pytestmark = pytest.mark.browser

_HOSTILE = [
    "<script>document.title='owned'</script>", "<img src=x onerror=\"document.title='owned'\">", "\"'`><svg onload=x>",
    "</script><script>document.title='owned'</script>", "y" * 10_000, "control\\x01\\x1b[2J",
    "\u05e2\u05d1\u05e8\u05d9\u05ea", "\\u202egnp.exe", "javascript:alert(1)", "{{profile}}", "__proto__",
    "constructor", "\u6f22\u5b57\u51fd\u6570" * 20,
]  # fmt: skip


def example() -> Profile:
    """70 samples in main;work;read;vfs_read, 20 in main;work;parse, 10 in main;idle; the first 5 s only of `parse`."""
    profile = Profile("samples", "example")
    main = Frame("main", "prog")
    work = Frame("work", "prog", Kind.USER, "work.c", 42)
    read = [main, work, Frame("read", "libc.so.6"), Frame("vfs_read", "vmlinux", Kind.KERNEL)]
    parse, idle = [main, work, Frame("parse", "prog")], [main, Frame("idle", "prog")]
    first, second = profile.thread(Thread(100, 100, "prog")), profile.thread(Thread(100, 101, "worker"))
    for tenth in range(100):
        stack = idle if tenth % 10 == 9 else parse if tenth < 50 and tenth % 10 in (0, 2, 4, 6) else read
        profile.add(profile.node(stack), 1, second if stack is read else first, tenth * 100_000_000)
    return profile


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Browser]:
    write_profile(example(), str(tmp_path / "example.html"))
    browser.open(tmp_path / "example.html")
    yield browser
    assert browser.errors() == []


def drawn(page: Browser, view: str = "upper") -> dict[str, float]:
    """Names of the boxes that are drawn, and their widths as parts of the window's."""
    page.frame()
    rows = page.ask(
        "const view = app[arguments[0]]; const found = [];"
        "for (const row of view.rows) for (let i = 0; i < row.length; i += 3)"
        "  if (row[i + 2]) found.push([app.label(row[i + 2]), row[i + 1] / view.width]);"
        "return found;",
        view,
    )
    return {str(name): round(float(width), 3) for name, width in rows}


def click(page: Browser, name: str, view: str = "upper", *, shift: bool = False) -> None:
    """Click the middle of the first box with that name."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    x, y = page.ask(
        "const view = app[arguments[0]];"
        "for (let depth = 0; depth < view.rows.length; depth++) { const row = view.rows[depth];"
        "  for (let i = 0; i < row.length; i += 3) if (row[i + 2] && app.label(row[i + 2]) === arguments[1])"
        "    return [row[i] + row[i + 1] / 2 - view.width / 2, view.top(depth) + 9 - view.height / 2]; }",
        view,
        name,
    )
    canvas = page.driver.find_element(By.CSS_SELECTOR, f"#{view} canvas")
    actions = ActionChains(page.driver).move_to_element_with_offset(canvas, int(x), int(y))
    if shift:
        actions.key_down(Keys.SHIFT)
    actions.click()
    if shift:
        actions.key_up(Keys.SHIFT)
    actions.perform()
    page.frame()


def button(page: Browser, selector: str) -> None:
    from selenium.webdriver.common.by import By

    page.driver.find_element(By.CSS_SELECTOR, selector).click()
    page.frame()


def type_search(page: Browser, text: str) -> None:
    from selenium.webdriver.common.by import By

    field = page.driver.find_element(By.ID, "search")
    field.clear()
    field.send_keys(text)
    page.frame()


def link(page: Browser) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(page.ask("return location.hash").lstrip("#")))


def test_it_opens_with_widths_as_shares(page: Browser) -> None:
    assert page.text("total") == "100 samples"
    assert drawn(page) == {
        "all, 100 samples": 1.0, "main": 1.0, "idle": 0.1, "work": 0.9, "parse": 0.2, "read": 0.7, "vfs_read": 0.7
    }  # fmt: skip


def test_a_click_zooms_and_escape_goes_back(page: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    click(page, "work")
    assert drawn(page) == {"all, 100 samples": 1.0, "main": 1.0, "work": 1.0, "parse": 0.222, "read": 0.778,
                           "vfs_read": 0.778}  # fmt: skip
    assert page.text("status").startswith("work: 90 samples, 90.0% of all; prog") is False
    assert "work: 90 samples, 90.0% of all" in page.text("status")
    assert "work.c:42" in page.text("status")
    page.keys(Keys.ESCAPE)
    assert drawn(page)["idle"] == 0.1


def test_search_tells_the_share_that_matches(page: Browser) -> None:
    type_search(page, "read")  # read and vfs_read: the same samples, counted once
    assert page.text("matched") == "70.0% matched"
    type_search(page, "/^(parse|idle)$/")
    assert page.text("matched") == "30.0% matched"
    type_search(page, "libc.so")  # a module
    assert page.text("matched") == "70.0% matched"
    type_search(page, "/(/")
    assert page.text("matched") == "0.00% matched"
    assert page.ask("return document.getElementById('search').classList.contains('wrong')")


def test_enter_in_the_search_zooms_to_the_widest_match(page: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    page.keys("/")
    assert page.ask("return document.activeElement.id") == "search"
    page.keys("parse", Keys.ENTER)
    assert drawn(page) == {"all, 100 samples": 1.0, "main": 1.0, "work": 1.0, "parse": 1.0}


def drag_over_strip(page: Browser, start: float, end: float) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    box = page.driver.find_element(By.ID, "strip-box")
    width = box.rect["width"]
    actions = ActionChains(page.driver)
    actions.move_to_element_with_offset(box, int((start - 0.5) * width), 0).click_and_hold()
    actions.move_to_element_with_offset(box, int((end - 0.5) * width), 0).release().perform()
    page.frame()


def test_a_range_of_time_has_its_own_flame_graph(page: Browser) -> None:
    drag_over_strip(page, 0.501, 1.005)  # the last five seconds: 50 samples, no parse among them
    assert page.text("total") == "50 samples"
    found = drawn(page)
    assert "parse" not in found
    assert found["idle"] == 0.1
    assert " of 10.0 s" in page.text("strip-what")
    button(page, "#strip-clear")
    assert page.text("total") == "100 samples"
    assert "parse" in drawn(page)


def test_the_strip_is_moved_by_keys(page: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    page.ask("document.getElementById('strip').focus()")
    page.keys(Keys.ARROW_RIGHT)
    assert page.text("total") in ("9 samples", "10 samples", "11 samples")
    page.keys(Keys.ESCAPE)
    assert page.text("total") == "100 samples"


def test_one_thread_alone(page: Browser) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    choice = Select(page.driver.find_element(By.ID, "thread"))
    assert [option.text for option in choice.options] == [
        "all 2 threads", "worker 100/101 (70.0%)", "prog 100 (30.0%)"
    ]  # fmt: skip
    choice.select_by_index(2)
    assert page.text("total") == "30 samples"
    assert drawn(page) == {"all, 30 samples": 1.0, "main": 1.0, "work": 0.667, "parse": 0.667, "idle": 0.333}


def test_keys_walk_zoom_and_change_the_view(page: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    button(page, "#upper")
    page.keys(Keys.ESCAPE, Keys.ARROW_UP, Keys.ARROW_UP)
    assert page.text("status").startswith("work: ")
    page.keys(Keys.ARROW_LEFT)
    assert page.text("status").startswith("idle: ")
    page.keys(Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert page.text("status").startswith("read: ")
    page.keys(Keys.ENTER)
    assert drawn(page)["read"] == 1.0
    page.keys(Keys.BACK_SPACE)
    assert drawn(page)["read"] == 0.778
    page.keys("i")
    assert link(page)["view"] == "icicle"
    assert page.ask("return app.upper.top(0) < app.upper.top(1)")
    page.keys("b")
    assert drawn(page)["vfs_read"] == 0.7
    page.keys("t")
    assert page.ask("return !document.getElementById('table').hidden")
    page.keys("?")
    assert page.ask("return document.getElementById('help').open")


def test_bottom_up_begins_with_the_innermost(page: Browser) -> None:
    button(page, "[data-view=callers]")
    found = drawn(page)
    assert {name: found[name] for name in ("vfs_read", "parse", "idle", "read")} == {
        "vfs_read": 0.7, "parse": 0.2, "idle": 0.1, "read": 0.7
    }  # fmt: skip
    assert set(found) == {"all, 100 samples", "vfs_read", "parse", "idle", "read", "work", "main"}


def test_a_function_between_its_callers_and_callees(page: Browser) -> None:
    click(page, "work", shift=True)
    assert drawn(page, "upper") == {"work": 1.0, "main": 1.0}
    assert drawn(page, "lower") == {"work": 1.0, "parse": 0.222, "read": 0.778, "vfs_read": 0.778}
    assert link(page)["view"] == "sandwich"


def test_a_function_is_seen_where_its_callers_and_callees_meet(browser: Browser, tmp_path: Path) -> None:
    profile = Profile()
    profile.add(profile.node([Frame(f"f{depth}") for depth in range(100)]), 1)
    write_profile(profile, str(tmp_path / "deep.html"))
    browser.open(tmp_path / "deep.html")
    browser.ask("app.chosen(app.profile.names.indexOf('f50'))")
    for _ in range(4):
        browser.frame()
    for view in ("upper", "lower"):
        top, height = browser.ask("const view = app[arguments[0]]; return [view.top(0), view.height]", view)
        assert 0 <= top <= height - 19, view


def test_the_table_lists_own_and_total(page: Browser) -> None:
    button(page, "#table-button")
    rows = page.ask(
        "return [...document.querySelectorAll('#table tbody tr')].map(r => [...r.children].map(c => c.textContent))"
    )
    assert rows == [
        ["vfs_read", "70.0%", "70.0%"], ["parse", "20.0%", "20.0%"], ["idle", "10.0%", "10.0%"],
        ["main", "0.00%", "100%"], ["work", "0.00%", "90.0%"], ["read", "0.00%", "70.0%"],
    ]  # fmt: skip
    button(page, "#table tbody tr:nth-child(2)")
    assert drawn(page, "upper") == {"parse": 1.0, "work": 1.0, "main": 1.0}


def test_all_is_reached_by_tab_is_seen_there_and_has_a_name(page: Browser) -> None:
    """From the search field once around the page: each stop has a name for screen readers and an outline."""
    button(page, "#table-button")
    page.ask("document.getElementById('search').focus()")
    stops = []
    for _ in range(60):
        element = page.driver.switch_to.active_element
        style = page.ask("const s = getComputedStyle(arguments[0]); return [s.outlineStyle, s.outlineWidth]", element)
        stops.append((element.get_attribute("id") or element.get_attribute("data-view") or element.tag_name,
                      element.accessible_name, style))  # fmt: skip
        page.keys("\ue004")
        if len(stops) > 1 and page.driver.switch_to.active_element.get_attribute("id") == "search":
            break
    names = [stop[0] for stop in stops]
    wanted = "search flame sandwich table-button colour order thread theme copy strip upper".split()
    assert [name for name in names if name in wanted] == wanted
    assert names.count("tr") == 6  # a row for each function
    assert [stop for stop in stops if not stop[1] and stop[0] != "body"] == []
    assert [stop for stop in stops if stop[2][0] == "none" and stop[0] != "body"] == []


def test_the_tables_order_is_told(page: Browser) -> None:
    button(page, "#table-button")

    def told() -> list[str | None]:
        script = "return [...document.querySelectorAll('#table th')].map(h => h.getAttribute('aria-sort'))"
        return list(page.ask(script))

    assert told() == [None, "descending", None]
    button(page, "#table [data-sort=name]")
    assert told() == ["ascending", None, None]


def test_dark_and_light(page: Browser) -> None:
    def luminance() -> float:
        red, green, blue = page.ask(
            "return [...app.upper.context.getImageData(2, app.upper.canvas.height / 3, 1, 1).data].slice(0, 3)"
        )
        return float(red + green + blue) / 3

    def button_text() -> str:
        return page.text("theme")

    was, text = luminance(), button_text()
    page.keys("d")
    assert abs(luminance() - was) > 150
    assert {text, button_text()} == {"Dark", "Light"}
    assert link(page)["theme"] in ("dark", "light")


def test_a_link_leads_to_the_same_view(page: Browser, browser: Browser, tmp_path: Path) -> None:
    click(page, "work")
    type_search(page, "parse")
    button(page, "#table-button")
    drag_over_strip(page, 0.0, 0.5)
    shown = (drawn(page), page.text("matched"), page.text("total"))
    address = page.ask("return location.href")
    browser.open(address)
    assert (drawn(browser), browser.text("matched"), browser.text("total")) == shown
    assert browser.ask("return !document.getElementById('table').hidden")


def test_copying_the_link_is_told(page: Browser) -> None:
    click(page, "work")
    button(page, "#copy")
    page.frame()
    status = page.text("status")
    assert status == "The link is copied" or "#zoom=" in status


def test_colours_by_kind_package_and_name_differ(page: Browser) -> None:
    seen = set()
    for _ in range(3):
        seen.add(page.ask("return app.colours.of(app.upper.tree.find([0, 1, 2, 3]))"))
        page.keys("c")
    assert len(seen) == 3


def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path) -> None:
    profile = Profile("samples", "</title><script>document.title='owned'</script>")
    for name in _HOSTILE:
        thread = profile.thread(Thread(1, len(profile.threads) + 2, name))
        node = profile.node([Frame("main"), Frame(name, name, Kind.USER, name, 1)])
        profile.add(node, 10, thread, len(profile.nodes))
    profile.notes.append("<img src=x onerror=\"document.title='owned'\">")
    write_profile(profile, str(tmp_path / "hostile.html"))
    browser.open(tmp_path / "hostile.html")
    assert len([name for name in drawn(browser) if name in _HOSTILE]) == len(_HOSTILE)
    browser.keys("t")
    for name in _HOSTILE:  # hover, zoom, search and table with each
        browser.ask(
            "const box = app.upper.tree.kids(app.upper.tree.find([0])).find((kid) => app.label(kid) === arguments[0]);"
            "app.hovered(box, {clientX: 50, clientY: 50}); app.upper.zoomTo(box);"
            "app.search(arguments[0].slice(0, 300));"
            "app.setView('callers'); app.chosen(box);",
            name,
        )
        browser.frame()
        assert browser.text("matched") != "0.00% matched"
        browser.ask("app.search(''); app.setView('flame')")
    assert browser.ask("return document.title") == "</title><script>document.title='owned'</script>"
    assert browser.ask("return document.querySelectorAll('img, svg, script').length") == 1  # the viewer
    assert browser.ask("return document.documentElement.scrollWidth <= innerWidth")
    assert browser.errors() == []


def test_a_difference_shows_what_vanished(browser: Browser, tmp_path: Path) -> None:
    def profile(**counts: int) -> Profile:
        made = Profile()
        for name, count in counts.items():
            made.add(made.node([Frame("main"), Frame(name)]), count)
        return made

    write_profile(difference(profile(old=30, both=10), profile(both=10, new=10)), str(tmp_path / "diff.html"))
    browser.open(tmp_path / "diff.html")
    # Shares: old 75 -> 0, both 25 -> 50, new 0 -> 50; each as wide as the larger: 75 + 50 + 50.
    found = drawn(browser)
    assert (found["old"], found["both"], found["new"]) == (0.429, 0.286, 0.286)
    line = browser.ask("return app.line(app.upper.tree.find([0, 1]))")
    assert line == "old: before 75.00%, after 0.00%: gone; 30 samples before, 0 samples after; user"
    assert browser.text("total") == "before 40 samples, after 20 samples"
    browser.ask("app.toggleTable()")
    rows = browser.ask("return [...document.querySelectorAll('#table tbody tr')].map((row) => row.innerText)")
    changes = {"old": "75.0 → 0.0%", "new": "0.0 → 50.0%", "both": "25.0 → 50.0%"}
    assert rows == [f"{name}\t{change}\t{change}" for name, change in changes.items()]
    hues = browser.ask("return [1, 2, 3].map((frame) => app.colours.of(app.upper.tree.find([0, frame])).slice(0, 8))")
    assert [hue[4:].split()[0] for hue in hues] == ["216", "8", "8"]
    assert browser.errors() == []


def test_an_empty_range_and_a_deep_stack_are_shown(browser: Browser, tmp_path: Path) -> None:
    profile = Profile()
    profile.add(profile.node([Frame(f"f{depth}") for depth in range(3000)]), 1)
    write_profile(profile, str(tmp_path / "deep.html"))
    browser.open(tmp_path / "deep.html")
    assert browser.ask("return app.upper.rows.length") == 3001
    browser.keys("i")
    browser.ask("app.upper.element.scrollTop = 1e9")
    browser.frame()
    assert browser.errors() == []


def test_a_million_samples_of_two_hundred_thousand_stacks_are_explored(browser: Browser, tmp_path: Path) -> None:
    """Stacks numbered 0 to 199,999 by three digits in base 60 of their frames' names; each is seen five times."""
    profile = Profile("samples", "large")
    for number in range(200_000):
        high, middle, low = number // 3600, number // 60 % 60, number % 60
        stack = [Frame("main"), Frame(f"a{high}"), Frame(f"b{middle}"), Frame(f"c{low}"), Frame(f"d{number % 7}")]
        node = profile.node(stack)
        for _ in range(5):
            profile.add(node, 1)
    assert len(set(profile.nodes)) == 200_000
    write_profile(profile, str(tmp_path / "large.html"))
    browser.open(tmp_path / "large.html")
    assert browser.text("total") == "1,000,000 samples"
    # 3,600 of 200,000 stacks are in a7; 60 of them in a7;b11.
    for path, share in (([0, "a7"], 1.0), ([0, "a7", "b11"], 1.0)):
        browser.ask(
            "let box = app.upper.tree.find([0]); for (const name of arguments[0].slice(1)) "
            "box = app.upper.tree.kids(box).find((kid) => app.label(kid) === name); app.upper.zoomTo(box);",
            path,
        )
        browser.frame()
        assert drawn(browser)[str(path[-1])] == share
    type_search(browser, "d3")
    # Numbers 0 to 199,999 that leave 3 when divided by 7: 28,571.
    assert browser.text("matched").startswith("14.3%")
    assert browser.errors() == []


def test_a_damaged_page_says_so(browser: Browser, tmp_path: Path) -> None:
    write_profile(example(), str(tmp_path / "x.html"))
    text = (tmp_path / "x.html").read_text()
    place = text.index('id="profile">') + 60
    (tmp_path / "x.html").write_text(text[:place] + "AAAAAAAA" + text[place + 8 :])
    browser.driver.get((tmp_path / "x.html").as_uri())
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser.driver, 10).until(lambda _: "cannot be read" in browser.text("status"))


def test_a_profile_of_one_moment_has_no_time_strip(browser: Browser, tmp_path: Path) -> None:
    profile = Profile()
    profile.add(profile.node([Frame("main")]), 1, profile.thread(Thread(7, 7, "true")), 5000)
    write_profile(profile, str(tmp_path / "one.html"))
    browser.open(tmp_path / "one.html")
    assert browser.text("total") == "1 sample"
    assert browser.ask("return document.getElementById('strip').hidden")
    assert browser.errors() == []


def test_a_range_without_samples_says_so(page: Browser) -> None:
    page.ask("app.strip.choose(1.71e9, 1.79e9)")  # they are at tenths of a second
    page.frame()
    assert page.text("total") == "0 samples"
    assert page.text("status") == "Nothing was seen here: choose another range of time, or thread"


def test_slots_of_time_fill_the_strip_evenly(browser: Browser, tmp_path: Path) -> None:
    """700 moments are more than the strip has cells; each cell holds as many of them."""
    profile = Profile()
    node, thread = profile.node([Frame("main")]), profile.thread(Thread(7, 7, "main"))
    for moment in range(700):
        profile.add(node, 1, thread, moment * 8_000_000_000 + 4_000_000_000)
    write_profile(profile, str(tmp_path / "slots.html"))
    browser.open(tmp_path / "slots.html")
    assert browser.text("strip-what").startswith("5,600 s")
    colours = browser.ask(
        "const canvas = document.getElementById('strip-canvas'); const image = canvas.getContext('2d');"
        "const each = Math.ceil(700 / Math.floor(app.strip.box.clientWidth / 4)), step = canvas.width * each / 700;"
        "const found = [];"
        "for (let x = step / 2; x < canvas.width; x += step) found.push(image.getImageData(x, 5, 1, 1).data.join());"
        "return found;"
    )
    assert len(colours) > 150
    assert len(set(colours[:-1])) == 1  # the last may hold fewer


def test_the_picture_from_the_bottom_up_is_laid_out_ahead(page: Browser) -> None:
    """While nothing else is to do, and looks as it does otherwise."""
    from selenium.webdriver.support.ui import WebDriverWait

    made = "const tree = app.trees[`callers ${app.state.order}`]; return tree?.root.kids?.count ?? 0;"
    WebDriverWait(page.driver, 60, 0.05).until(lambda _: page.ask(made) == 3)
    page.ask("app.setView('callers')")
    assert drawn(page) == {
        "all, 100 samples": 1.0, "vfs_read": 0.7, "read": 0.7, "work": 0.7, "main": 0.7, "parse": 0.2, "idle": 0.1
    }  # fmt: skip
