"""Controls by real clicks and keys: what they tell, what they show, and that they can be named and reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAccessible, QAction, QDropEvent, QEnterEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QSlider, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.mouse import double_click
from viewer.ui import controls as c
from viewer.ui import icons
from viewer.ui.controls.number_field import Scale, decimals_of
from viewer.ui.form_rows import AutoNumberRow
from viewer.ui.theme import DARK, LIGHT, apply_theme, set_reduced_motion

KEY = Qt.Key
pytestmark = pytest.mark.usefixtures("calm")


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    """A shown window with a column to put controls in."""
    window = QWidget()
    QVBoxLayout(window)
    window.setFixedWidth(332)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    return window


def put(page: QWidget, *widgets: QWidget) -> None:
    for widget in widgets:
        page.layout().addWidget(widget)
        widget.show()
    QApplication.processEvents()


def heard(signal: object) -> list[object]:
    got: list[object] = []
    signal.connect(got.append)  # type: ignore[attr-defined]
    return got


# --- numbers --------------------------------------------------------------------------------------------------------


@given(st.floats(-1000, 1000), st.floats(0.5, 1000), st.sampled_from([0.05, 0.1, 1.0, 2.0]))
def test_slider_positions_and_numbers_agree(low: float, span: float, step: float) -> None:
    low = round(low, 1)
    scale = Scale(low, round(low + span, 1), step, decimals_of(step))
    for position in (0, scale.positions // 2, scale.positions):
        value = scale.at(position)
        assert scale.low is not None
        assert scale.high is not None
        assert scale.low - 0.5 <= value <= scale.high + 0.5
        assert abs(scale.position(value) - position) <= 1


def test_logarithmic_slider_has_the_geometric_mean_in_its_middle() -> None:
    scale = Scale(0.1, 10, 0.1, 1, log=True)
    assert scale.at(scale.positions // 2) == 1.0
    assert (scale.at(0), scale.at(scale.positions)) == (0.1, 10)
    assert scale.stepped(1.0, 10) > 1.0 > scale.stepped(1.0, -10)


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("5 px", 5), (" 5px ", 5), ("-2", -2), ("\N{MINUS SIGN}2,5", -2.5), ("1e3", 1000), ("", None), ("nan", None), ("5 mm", None)],
)
def test_typed_numbers_are_understood(text: str, value: float | None) -> None:
    assert Scale(0, 10, unit="px").parse(text) == value


@pytest.mark.parametrize(
    ("scale", "text", "sentence"),
    [
        (Scale(7, 31, 2, 0, unit="px"), "45", "Search must be between 7 and 31 px."),
        (Scale(7, 31, 2, 0, unit="px"), "abc", "Search must be a number."),
        (Scale(7, 31, 2, 0, unit="px"), "8.5", "Search must be a whole number."),
        (Scale(0, None, 0.1, 1, unit="mm"), "-1", "Search must be 0.0 mm or more."),
        (Scale(None, 5, 1, 0), "6", "Search must be 5 or less."),
        (Scale(None, None, 1, 1), "6.5", ""),
    ],
)
def test_problems_name_the_limits(scale: Scale, text: str, sentence: str) -> None:
    assert scale.problem("Search", text) == sentence


def test_dragging_tells_every_value_and_settles_once(page: QWidget, qtbot: QtBot) -> None:
    row = c.NumberRow("Tolerance", 0, 100, 50, unit="HU")
    put(page, row)
    changed, settled = heard(row.value_changed), heard(row.settled)
    slider = row.slider
    assert slider is not None
    middle = slider.height() // 2
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, middle))
    for x in (slider.width() // 2 + 10, slider.width() // 2 + 20, slider.width() - 1):
        QTest.mouseMove(slider, QPoint(x, middle))
        QApplication.processEvents()
    assert settled == []
    assert len(changed) >= 2
    assert changed[-1] == 100
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 1, middle))
    assert settled == [100]
    assert row.field.text() == "100 HU"


def test_arrow_keys_step_and_settle_at_rest(page: QWidget, qtbot: QtBot) -> None:
    row = c.NumberRow("Strength", 0, 2, 0.8, step=0.1)
    put(page, row)
    changed, settled = heard(row.value_changed), heard(row.settled)
    row.field.setFocus()
    qtbot.waitUntil(row.field.hasFocus)
    QTest.keyClick(row.field, KEY.Key_Up)
    QTest.keyClick(row.field, KEY.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert changed == [pytest.approx(0.9), 0.0]
    assert row.field.text() == "0.0"
    assert settled == []
    qtbot.waitUntil(lambda: settled == [0.0])


def test_typing_a_wrong_number_says_so_and_keeps_the_last_good_one(page: QWidget, qtbot: QtBot) -> None:
    row = c.NumberRow("Search", 7, 31, 21, unit="px", step=2)
    put(page, row)
    changed, validity = heard(row.value_changed), heard(row.validity_changed)
    row.field.setFocus()
    qtbot.waitUntil(row.field.hasFocus)
    assert row.field.selectedText() == "21"
    QTest.keyClicks(row.field, "45")
    assert (row.error(), row.is_valid(), row.value()) == ("Search must be between 7 and 31 px.", False, 21)
    assert row.field.property("state") == "error"
    assert validity == [False]
    assert changed == []
    QTest.keyClick(row.field, KEY.Key_Return)
    assert not row.is_valid()
    QTest.keyClick(row.field, KEY.Key_Escape)
    assert (row.field.text(), row.is_valid(), validity) == ("21 px", True, [False, True])


def test_typing_a_number_and_enter_settles_at_once(page: QWidget, qtbot: QtBot) -> None:
    row = c.NumberRow("Search", 7, 31, 21, unit="px", step=2)
    put(page, row)
    settled = heard(row.settled)
    row.field.setFocus()
    qtbot.waitUntil(row.field.hasFocus)
    QTest.keyClicks(row.field, "15")
    QTest.keyClick(row.field, KEY.Key_Return)
    assert (settled, row.field.text(), row.value()) == ([15], "15 px", 15)
    QTest.keyClick(row.field, KEY.Key_Return)
    assert settled == [15]


def test_escape_with_nothing_typed_is_left_to_the_form(page: QWidget) -> None:
    row = c.NumberRow("Search", 7, 31, 21)
    put(page, row)
    seen: list[int] = []
    page.keyPressEvent = lambda event: seen.append(event.key())  # type: ignore[method-assign]
    QTest.keyClick(row.field, KEY.Key_Escape)
    assert seen == [KEY.Key_Escape]


def test_reset_is_live_only_away_from_the_default(page: QWidget) -> None:
    row = c.NumberRow("Patch", 1, 11, 5)
    put(page, row)
    reset = row.findChild(c.IconButton)
    assert reset is not None
    assert not reset.isEnabled()
    row.set_value(7)
    assert reset.isEnabled()
    settled = heard(row.settled)
    QTest.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert (row.value(), settled, reset.isEnabled()) == (5, [5], False)


def test_set_value_is_silent_and_held_within_the_limits(page: QWidget) -> None:
    row = c.NumberRow("Patch", 1, 11, 5)
    put(page, row)
    told = heard(row.value_changed) + heard(row.settled)
    row.set_value(99)
    assert row.value() == 11
    assert told == []
    assert row.slider is not None
    assert row.slider.value() == row.slider.maximum()


@pytest.mark.parametrize("kind", ["number", "auto"])
def test_a_number_stays_as_it_is_typed_when_its_owner_shows_it_back(page: QWidget, qtbot: QtBot, kind: str) -> None:
    """Forms show all rows anew after each answer: the field that the keys go into is not written over, another value is shown at once."""
    row = c.NumberRow("File", 1, 200, 7, decimals=0) if kind == "number" else AutoNumberRow("File", Scale(1, 200))
    put(page, row)
    row.value_changed.connect(lambda value: row.set_value(value))
    row.field.setFocus()
    qtbot.waitUntil(row.field.hasFocus)
    QTest.keyClicks(row.field, "169")
    assert (row.value(), row.field.text()) == (169, "169")
    row.set_value(12)
    assert (row.value(), row.field.text()) == (12, "12")
    QTest.keyClick(row.field, KEY.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(row.field, "12x")
    assert not row.is_valid()
    row.set_value(12)
    assert (row.is_valid(), row.field.text()) == (True, "12")


def test_number_without_limits_has_no_slider(page: QWidget) -> None:
    row = c.NumberRow("Low", None, None, -1000, unit="HU")
    put(page, row)
    assert row.slider is None
    assert row.field.text() == "-1000 HU"
    with pytest.raises(ValueError, match="positive low"):
        c.NumberRow("Sigma", 0, 10, 1, log=True)


def test_wheel_over_a_form_scrolls_the_form(page: QWidget) -> None:
    row = c.NumberRow("Patch", 1, 11, 5)
    choice = c.ChoiceRow("Scope", [(1, "This slice"), (2, "Whole volume")])
    put(page, row, choice)
    page.setFocus()
    for part in (row.slider, choice.combo):
        assert part is not None
        place = QPointF(part.rect().center())
        none = Qt.MouseButton.NoButton
        wheel = QWheelEvent(
            place,
            QPointF(part.mapToGlobal(place)),
            QPoint(),
            QPoint(0, 120),
            none,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(part, wheel)
    assert (row.value(), choice.value()) == (5, 1)


def test_field_widens_rather_than_cut_its_limits(page: QWidget) -> None:
    narrow, wide = c.NumberRow("A", 0, 9, 1), c.NumberRow("B", 0, 123456, 1, unit="mm²")
    put(page, narrow, wide)
    assert narrow.field.width() == 80
    assert wide.field.width() >= wide.field.fontMetrics().horizontalAdvance("123456 mm²") + 14


# --- other rows -----------------------------------------------------------------------------------------------------


def test_choice_by_keys_and_reset(page: QWidget) -> None:
    row = c.ChoiceRow("Scope", [("slice", "This slice"), ("volume", "Whole volume")], "slice")
    put(page, row)
    settled = heard(row.settled)
    QTest.keyClick(row.combo, KEY.Key_Down)
    assert (row.value(), settled) == ("volume", ["volume"])
    row.reset()
    assert settled == ["volume", "slice"]
    row.set_choices([("volume", "Whole volume"), ("inside", "Inside segment")])
    assert row.value() == "volume"
    assert len(settled) == 2
    with pytest.raises(ValueError):
        row.set_value("slice")


def test_switch_by_click_on_knob_words_and_by_keys(page: QWidget) -> None:
    row = c.SwitchRow("Curtain", help="Left of the line: before. Right: after.")
    put(page, row)
    told = heard(row.value_changed)
    QTest.mouseClick(row.switch, Qt.MouseButton.LeftButton)
    QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.caption.geometry().center())
    QTest.keyClick(row.switch, KEY.Key_Space)
    QTest.keyClick(row.switch, KEY.Key_Left)
    QTest.keyClick(row.switch, KEY.Key_Left)
    assert told == [True, False, True, False]
    assert QAccessible.queryAccessibleInterface(row.switch).role() == QAccessible.Role.CheckBox
    row.set_value(True)
    assert row.value()
    assert len(told) == 4


def test_text_row_checks_what_is_typed(page: QWidget) -> None:
    row = c.TextRow("Name", "Lesion", check=lambda text: "" if text else "A segment needs a name.")
    put(page, row)
    settled = heard(row.settled)
    row.field.selectAll()
    QTest.keyClick(row.field, KEY.Key_Delete)
    assert row.error() == "A segment needs a name."
    QTest.keyClicks(row.field, "Cyst")
    QTest.keyClick(row.field, KEY.Key_Return)
    assert (row.is_valid(), settled) == (True, ["Cyst"])


# --- buttons --------------------------------------------------------------------------------------------------------


def test_button_keeps_its_words_clean_and_enter_presses_it(page: QWidget) -> None:
    button = c.Button("Export", icon="download")
    put(page, button)
    assert button.text() == "Export"
    assert QAccessible.queryAccessibleInterface(button).text(QAccessible.Text.Name) == "Export"
    pressed: list[int] = []
    button.clicked.connect(lambda: pressed.append(1))
    QTest.keyClick(button, KEY.Key_Return)
    QTest.keyClick(button, KEY.Key_Space)
    assert len(pressed) == 2


def test_tool_of_an_action_follows_it(page: QWidget) -> None:
    action = QAction("Pan", page)
    action.setCheckable(True)
    icons.set_icon(action, "hand")
    tool = c.ToolButton.of_action(action)
    put(page, tool)
    QTest.mouseClick(tool, Qt.MouseButton.LeftButton)
    assert action.isChecked()
    assert tool.isChecked()
    action.setEnabled(False)
    assert not tool.isEnabled()
    assert tool.iconSize().width() == 20
    assert tool.height() == 48


def test_tool_group_is_one_tab_stop_and_arrows_move(page: QWidget, qtbot: QtBot) -> None:
    tools = [c.ToolButton("brush", f"T{i}", kind="panel", checkable=True) for i in range(8)]
    tools[1].setEnabled(False)
    group = c.ToolGroup(tools, columns=4, name="Tools")
    put(page, group)
    assert [t.focusPolicy() == Qt.FocusPolicy.StrongFocus for t in tools].count(True) == 1
    tools[0].setFocus()
    qtbot.waitUntil(tools[0].hasFocus)
    QTest.keyClick(tools[0], KEY.Key_Right)
    assert tools[2].hasFocus()
    QTest.keyClick(tools[2], KEY.Key_Down)
    assert tools[6].hasFocus()
    QTest.keyClick(tools[6], KEY.Key_Return)
    assert tools[6].isChecked()
    assert tools[6].focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_segmented_has_one_choice(page: QWidget) -> None:
    part = c.Segmented([(1, "1×"), (2, "2×"), (4, "4×")], value=2)
    put(page, part)
    told = heard(part.value_changed)
    QTest.mouseClick(part.findChildren(QAbstractButton)[2], Qt.MouseButton.LeftButton)
    assert (part.value(), told) == (4, [4])


# --- words ----------------------------------------------------------------------------------------------------------


def test_long_words_elide_with_all_of_them_as_tooltip(page: QWidget) -> None:
    label = c.ElidedLabel("A very long name of a series that has no room in a panel of 332 pixels")
    put(page, label)
    assert label.is_elided()
    assert label.toolTip() == label.text()
    assert page.minimumSizeHint().width() < 100
    label.set_tooltip("Series")
    label.setText("Short")
    assert not label.is_elided()
    assert label.toolTip() == "Series"


def test_names_from_files_are_never_markup(page: QWidget) -> None:
    label = c.Label("<b>x</b>")
    assert label.textFormat() == Qt.TextFormat.PlainText
    label.deleteLater()


# --- tabs, filter ---------------------------------------------------------------------------------------------------


def test_dock_tabs_are_equal_fit_their_dock_and_keep_their_keys(page: QWidget) -> None:
    tabs = c.DockTabs(name="Panels")
    for icon, words in (
        ("sliders-horizontal", "Enhance"),
        ("blend", "Segment"),
        ("ruler", "Measure"),
        ("scan-search", "Classify"),
        ("history", "History"),
    ):
        tabs.add_tab(icon, words)
    page.layout().setContentsMargins(0, 0, 0, 0)
    put(page, tabs)
    widths = [tabs.tabRect(i).width() for i in range(5)]
    assert max(widths) - min(widths) <= 1
    assert sum(widths) == 332
    told = heard(tabs.currentChanged)
    QTest.keyClick(tabs, KEY.Key_Right)
    QTest.keyClick(tabs, KEY.Key_End)
    QTest.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(2).center())
    assert told == [1, 4, 2]
    assert QAccessible.queryAccessibleInterface(tabs).role() == QAccessible.Role.PageTabList
    with pytest.raises(ValueError, match="no icon"):
        tabs.add_tab("nothing", "Nothing")


def test_filter_is_emptied_by_escape_and_by_its_button(page: QWidget) -> None:
    field = c.SearchField("Filter by name, ID or date")
    put(page, field)
    down: list[int] = []
    field.left_downwards.connect(lambda: down.append(1))
    QTest.keyClicks(field, "liver")
    clear = field.findChild(c.IconButton)
    assert clear is not None
    assert clear.isVisible()
    QTest.keyClick(field, KEY.Key_Escape)
    assert field.text() == ""
    assert not clear.isVisible()
    QTest.keyClicks(field, "x")
    QTest.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert field.text() == ""
    QTest.keyClick(field, KEY.Key_Down)
    assert down == [1]


# --- messages -------------------------------------------------------------------------------------------------------


def test_message_bar_takes_no_room_without_a_message(page: QWidget) -> None:
    bar = c.MessageBar()
    page.layout().addWidget(bar)
    assert not bar.isVisible()
    bar.show_message("ok", "Added segment.")
    assert bar.isVisible()
    assert bar.height() == 36
    bar.close_message()
    assert not bar.isVisible()


def test_new_message_takes_the_place_of_ok_and_info_only(page: QWidget) -> None:
    bar = c.MessageBar()
    put(page, bar)
    texts: list[str | None] = []
    bar.changed.connect(lambda m: texts.append(m.text if m else None))
    bar.show_message("ok", "one")
    bar.show_message("info", "two")
    bar.show_message("err", "three")
    bar.show_message("warn", "four")
    bar.show_message("err", "three")
    assert texts == ["one", "two", "three"]
    assert bar.waiting() == 1
    bar.show_message("ok", "five")
    assert texts[-1] == "five"
    assert bar.waiting() == 2
    for _press in range(3):
        bar.close_message()
    assert texts[-3:] == ["three", "four", None]


def test_a_message_about_an_image_goes_with_it_and_others_stay(page: QWidget) -> None:
    bar = c.MessageBar()
    put(page, bar)
    bar.show_message("warn", "of a", about="a")
    bar.show_message("warn", "of b", about="b")
    bar.show_message("err", "of all")
    bar.keep_about("a")
    assert (bar.message().text, bar.waiting()) == ("of a", 1)
    bar.keep_about("b")
    assert (bar.message().text, bar.waiting()) == ("of all", 0)
    bar.keep_about("")
    assert bar.message().text == "of all"


def test_ok_leaves_by_itself_but_not_under_the_pointer(page: QWidget, qtbot: QtBot) -> None:
    bar = c.MessageBar(lifetime_ms=50)
    put(page, bar)
    bar.show_message("ok", "Saved.")
    QApplication.sendEvent(bar, QEnterEvent(QPointF(5, 5), QPointF(5, 5), QPointF(5, 5)))
    assert not bar._timer.isActive()
    QApplication.sendEvent(bar, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: bar.message() is None)
    bar.show_message("err", "Broken.")
    assert not bar._timer.isActive()


def test_ok_waits_while_its_link_has_the_focus(page: QWidget, qtbot: QtBot) -> None:
    bar = c.MessageBar(lifetime_ms=50)
    other = c.Button("Other")
    put(page, bar, other)
    bar.show_message("ok", "Saved.", [("Undo", lambda: None)])
    link = next(b for b in bar.findChildren(c.Button) if b.isVisible())
    link.setFocus()
    qtbot.waitUntil(link.hasFocus)
    assert not bar._timer.isActive()
    other.setFocus()
    qtbot.waitUntil(lambda: bar.message() is None)


def test_links_call_and_close(page: QWidget) -> None:
    bar = c.MessageBar()
    put(page, bar)
    called: list[str] = []
    bar.show_message(
        "err", "The model could not be loaded.", [("Details", lambda: called.append("details")), ("Copy", lambda: called.append("copy"))]
    )
    links = [b for b in bar.findChildren(c.Button) if b.isVisible()]
    assert [b.text() for b in links] == ["Details", "Copy"]
    QTest.mouseClick(links[1], Qt.MouseButton.LeftButton)
    assert called == ["copy"]
    assert bar.message() is None
    with pytest.raises(ValueError, match="two links"):
        bar.show_message("ok", "x", [("a", print), ("b", print), ("c", print)])


# --- progress, marks, places ----------------------------------------------------------------------------------------


def test_progress_row_cancels_once(page: QWidget) -> None:
    row = c.ProgressRow()
    put(page, row)
    row.start("Working")
    row.set_progress(45, 72, text="Working on 45 of 72", remaining="about 12 s left")
    assert row.bar.value() == 625
    assert row.text() == "Working on 45 of 72"
    told: list[int] = []
    row.cancel_requested.connect(lambda: told.append(1))
    QTest.mouseClick(row.cancel, Qt.MouseButton.LeftButton)
    QTest.mouseClick(row.cancel, Qt.MouseButton.LeftButton)
    assert told == [1]
    assert not row.cancel.isEnabled()


def test_ring_rests_when_hidden_and_with_less_motion(page: QWidget) -> None:
    ring = c.BusyRing()
    put(page, ring)
    assert not ring._ticker.isActive()
    ring.hide()
    set_reduced_motion(False)
    ring.show()
    assert ring._ticker.isActive()
    ring.hide()
    assert not ring._ticker.isActive()


def test_score_bar_says_its_score_and_colours_from_the_threshold_on(page: QWidget) -> None:
    bar = c.ScoreBar("Nodule", 0.5, 0.5)
    put(page, bar)
    assert bar.is_over()
    assert bar.accessibleName() == "Nodule: 50.0 %, threshold 50 %"
    assert bar.grab().toImage().pixelColor(10, 7).name() == DARK.accent.lower()
    bar.set_score(0.499, 0.5)
    assert not bar.is_over()
    assert bar.grab().toImage().pixelColor(10, 7).name() == DARK.text3.lower()


def test_a_score_that_is_held_back_has_an_empty_bar(page: QWidget) -> None:
    bar = c.ScoreBar("Nodule", float("nan"))
    put(page, bar)
    assert bar.accessibleName() == "Nodule: –"
    inside = bar.grab().toImage().pixelColor(80, 7).name()
    assert inside == page.grab().toImage().pixelColor(1, 1).name()
    bar.set_score(0.0, 0.5)
    assert bar.grab().toImage().pixelColor(10, 7).name() == DARK.track.lower()


def test_a_title_that_is_the_message_takes_a_second_line(page: QWidget) -> None:
    card = c.Card("Pneumonia or another finding: above threshold", wraps=True)
    card.set_caption("98 ms · CPU")
    put(page, card)
    page.layout().addStretch(1)
    for width in (600, 260):
        page.setFixedSize(width, 400)
        for _ in range(3):  # the heights of wrapped words settle one round later
            QApplication.processEvents()
        assert card.title.height() >= card.title.heightForWidth(card.title.width())
    assert card.title.height() > 1.5 * card.title.fontMetrics().height()
    assert card.caption.geometry().bottom() < card.title.geometry().center().y() + 4  # beside the first line


def test_swatch_is_filled_or_hollow(page: QWidget) -> None:
    swatch = c.Swatch("#37F8C8", "Colour of Lesion")
    put(page, swatch)
    assert swatch.grab().toImage().pixelColor(12, 12).name() == "#37f8c8"
    swatch.set_color("#37F8C8", hollow=True)
    assert swatch.grab().toImage().pixelColor(12, 12).name() != "#37f8c8"


def test_drop_gives_local_paths_and_ends_the_hover_state(page: QWidget) -> None:
    zone = c.DropZone(name="Drop files")
    put(page, zone)
    told, dragging = heard(zone.dropped), heard(zone.dragging_changed)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/data/one"), QUrl("https://example.org/x")])
    zone.set_dragging(True)
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    zone.dropEvent(event)
    assert told == [("/data/one",)]
    assert dragging == [True, False]


def test_popover_takes_the_focus_and_gives_it_back(page: QWidget, qtbot: QtBot) -> None:
    opener = c.Button("Jobs")
    put(page, opener)
    popover = c.Popover("Jobs", parent=page)
    field = c.TextField("", name="Filter")
    popover.body.addWidget(field)
    popover.open_at(opener)
    qtbot.waitUntil(popover.isVisible)
    focus = popover.focusWidget()
    assert focus is field
    closed: list[int] = []
    popover.closed.connect(lambda: closed.append(1))
    QTest.keyClick(focus, KEY.Key_Escape)
    assert not popover.isVisible()
    assert closed == [1]
    qtbot.waitUntil(opener.hasFocus)


def test_splitter_restores_by_double_click_and_moves_by_keys(page: QWidget) -> None:
    splitter = c.Splitter()
    for _part in range(2):
        splitter.addWidget(QWidget())
    splitter.setFixedHeight(60)
    put(page, splitter)
    splitter.set_default_sizes([100, splitter.width() - 101])
    handle = splitter.handle(1)
    QTest.keyClick(handle, KEY.Key_Right)
    assert splitter.sizes()[0] == 116
    double_click(handle)
    assert splitter.sizes()[0] == 100


def test_page_scrolls_down_only_and_pins_its_foot(page: QWidget) -> None:
    panel = c.PanelPage(name="Enhance")
    panel.setFixedHeight(200)
    for at in range(12):
        panel.add(c.NumberRow(f"Row with a long name {at}", 0, 100, 5, unit="mm"))
    panel.add_to_foot(c.Button("Open table"), c.Button("Export CSV"))
    put(page, panel)
    assert panel.scroll.verticalScrollBar().maximum() > 0
    assert panel.scroll.widget().width() <= panel.scroll.viewport().width()
    assert panel.foot().geometry().bottom() <= panel.height()
    assert panel.grab().toImage().pixelColor(3, 100).name() == DARK.panel.lower()


def test_card_and_box_show_an_error_and_take_it_away(page: QWidget) -> None:
    card = c.Card("Gamma", help="Bends the grey scale.", info=True)
    put(page, card)
    told: list[int] = []
    card.info_requested.connect(lambda: told.append(1))
    QTest.mouseClick(card.info, Qt.MouseButton.LeftButton)
    card.set_error("The worker ran out of memory. Choose a smaller scope.")
    assert card.note.isVisible()
    assert told == [1]
    card.set_error("")
    assert not card.note.isVisible()


# --- all of them ----------------------------------------------------------------------------------------------------


def everything() -> QWidget:
    """One of each."""
    page = QWidget()
    column = QVBoxLayout(page)
    tabs = c.DockTabs(name="Panels")
    tabs.add_tab("ruler", "Measure")
    bar = c.MessageBar()
    bar.show_message("err", "Broken.", [("Details", print)])
    card = c.Card("Gamma", help="Bends the grey scale.", info=True)
    for row in (
        c.NumberRow("Gamma", 0.1, 10, 1, step=0.1, log=True),
        c.ChoiceRow("Scope", [(1, "This slice")]),
        c.SwitchRow("Preview", True),
        c.TextRow("Name", "x"),
    ):
        card.add_row(row)
    card.add_button(c.Button("Apply", variant="primary"))
    tools = c.ToolGroup([c.ToolButton("hand", "Pan"), c.ToolButton("zoom-in", "Zoom")], name="Tools")
    empty = c.EmptyState("Nothing here", "Open something.", icon="images")
    empty.add_button(c.Button("Open"))
    for part in (tabs, tools, c.SearchField("Filter"), card, c.ProgressRow("Working"), c.BusyRing(), c.ScoreBar("A", 0.5, 0.5),
                 c.Swatch("#ff0000", "Colour"), c.IconButton("x", "Close"), c.Segmented([(1, "One"), (2, "Two")]), empty, bar):  # fmt: skip
        column.addWidget(part)
    return page


def test_every_control_has_a_name(qtbot: QtBot) -> None:
    page = everything()
    qtbot.addWidget(page)
    page.show()
    unnamed = []
    for widget in page.findChildren(QWidget):
        if isinstance(widget, QAbstractButton | QLineEdit | QComboBox | QSlider):
            name = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
            if not name and widget.isVisibleTo(page):
                unnamed.append(type(widget).__name__)
    assert unnamed == []


def test_every_visible_button_is_24_by_24_with_its_gap(qtbot: QtBot) -> None:
    page = everything()
    qtbot.addWidget(page)
    page.show()
    QApplication.processEvents()
    for button in page.findChildren(QAbstractButton):
        if button.isVisible():
            assert min(button.width(), button.height()) >= 22, (type(button).__name__, button.size())


def test_tab_reaches_every_field_and_shows_where_it_is(qtbot: QtBot) -> None:
    page = everything()
    qtbot.addWidget(page)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    seen: set[QWidget] = set()
    for _press in range(60):
        QTest.keyClick(QApplication.focusWidget() or page, KEY.Key_Tab)
        focus = QApplication.focusWidget()
        if focus is None or focus in seen:
            break
        picture = focus.grab().toImage()
        ring = {DARK.accent.lower(), DARK.text.lower()}
        found = any(
            picture.pixelColor(x, y).name() in ring
            for x in range(picture.width())
            for y in (*range(4), *range(picture.height() - 4, picture.height()))
        )
        assert found, f"{type(focus).__name__} shows no ring"
        seen.add(focus)
    kinds = {type(w).__name__ for w in seen}
    assert {"DockTabs", "ToolButton", "SearchField", "NumberField", "Combo", "Switch", "TextField", "Button", "IconButton", "Swatch"} <= kinds


def test_everything_repaints_in_the_other_theme(qapp: QApplication, qtbot: QtBot) -> None:
    page = everything()
    qtbot.addWidget(page)
    page.show()
    apply_theme(qapp, "light")
    QApplication.processEvents()
    dark = {DARK.panel.lower(), DARK.raised.lower(), DARK.window.lower()}
    picture = page.grab().toImage()
    found = {picture.pixelColor(x, y).name() for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)}
    assert not found & dark
    assert LIGHT.accent.lower() in found


def test_sheet_of_all_controls_can_be_drawn(qapp: QApplication) -> None:
    from viewer.ui.controls.sheet import sheet

    qapp.setCursorFlashTime(0)
    picture = sheet()
    assert picture.width() > 1200
    assert picture.height() > 800
