"""The application's one stylesheet, as a template: ``$name`` is a colour, size or picture that ``theme`` fills in.

Variants are dynamic properties (``variant``, ``role``, ``kind``, ``state``), set with ``theme.set_property``. A state always
stands after the sub-control (``::handle:focus``): the other way round is no error and paints every box.
A focus ring takes its room from padding and height, so that nothing moves when the focus does.
"""

from __future__ import annotations

TEMPLATE = """
QWidget { color: $text; selection-background-color: $accent; selection-color: $onaccent; }
QWidget:disabled { color: $disabled; }
QMainWindow, QDialog { background: $window; }
QToolTip { background: $raised; color: $text; border: 1px solid $line2; padding: 4px 6px; font-size: ${small}px; }

QWidget[role="window"] { background: $window; }
QWidget[role="panel"] { background: $panel; }
QWidget[role="well"] { background: $well; }
QWidget[role="image"] { background: $image; }
QFrame[role="topbar"] { background: $window; border: none; border-bottom: 1px solid $line; }
QToolButton[role="layout"] { background: $raised; border: 1px solid $line; border-radius: 6px; color: $text2; padding: 2px; }
QToolButton[role="layout"]:hover { background: $hover; color: $text; }
QToolButton[role="layout"]:checked { background: $sel; border-color: $sel_line; color: $accent_text; }
QToolButton[role="layout"]:focus { border: 2px solid $accent; padding: 1px; }
QToolButton[role="layout"]:disabled { color: $disabled; }
QFrame[role="viewbar"] { background: $panel; border: none; border-bottom: 1px solid $line; }
QFrame[role="status"] { background: $window; border: none; border-top: 1px solid $line; }
QFrame[role="foot"] { background: $panel; border: none; border-top: 1px solid $line; }
QFrame[role="card"] { background: $raised; border: 1px solid $line; border-radius: ${radius_card}px; }
QFrame[role="popover"] { background: $panel; border: 1px solid $line2; border-radius: ${radius_dialog}px; }
QFrame[role="divider"] { background: $line; border: none; }
QFrame[role="box"][kind="info"] { background: $info_bg; border: 1px solid $accent; border-radius: ${radius}px; }
QFrame[role="box"][kind="ok"] { background: $ok_bg; border: 1px solid $ok; border-radius: ${radius}px; }
QFrame[role="box"][kind="warn"] { background: $warn_bg; border: 1px solid $warn; border-radius: ${radius}px; }
QFrame[role="box"][kind="err"] { background: $err_bg; border: 1px solid $err; border-radius: ${radius}px; }
QFrame[role="message"] { border: none; border-top: 1px solid $line; }
QFrame[role="message"][kind="ok"] { background: $ok_bg; }
QFrame[role="message"][kind="info"] { background: $info_bg; }
QFrame[role="message"][kind="warn"] { background: $warn_bg; }
QFrame[role="message"][kind="err"] { background: $err_bg; }

QLabel { background: transparent; border: none; padding: 0; }
QLabel[role="headline"] { font-size: ${headline}px; font-weight: 600; }
QLabel[role="title"] { font-size: ${title}px; font-weight: 600; }
QLabel[role="section"] { font-size: ${body}px; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="secondary"] { color: $text2; }
QLabel[role="quiet"] { color: $text3; }
QLabel[role="hint"] { font-size: ${small}px; color: $text3; }
QLabel[role="caption"] { font-size: ${caption}px; color: $text3; }
QLabel[role="small"] { font-size: ${small}px; color: $text2; }
QLabel[role="error"] { font-size: ${small}px; color: $err; }
QLabel[role="warning"] { font-size: ${small}px; color: $warn; }
QLabel[role="secondary"]:disabled, QLabel[role="hint"]:disabled, QLabel[role="caption"]:disabled, QLabel[role="small"]:disabled { color: $disabled; }
QLabel[role="badge"], QLabel[role="key"] {
    font-size: ${caption}px; background: $raised; border: 1px solid $line; border-radius: ${radius_badge}px; padding: 1px 6px; color: $text2; }
QLabel[role="badge"] { font-weight: 600; }
QLabel[role="badge"][kind="ok"] { color: $ok; }
QLabel[role="badge"][kind="warn"] { color: $warn; }
QLabel[role="badge"][kind="err"] { color: $err; }
QLabel[role="badge"][kind="busy"] { color: $busy; }
QWidget[state="selected"] QLabel { color: $text; }

QPushButton {
    background: $raised; color: $text; border: 1px solid $line; border-radius: ${radius}px; padding: 0 12px;
    min-height: ${button_rest}px; max-height: ${button_rest}px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:checked { background: $sel; color: $accent_text; border-color: $sel_line; }
QPushButton:focus { border: 2px solid $accent; padding: 0 11px; min-height: ${button_focus}px; max-height: ${button_focus}px; }
QPushButton:disabled { background: transparent; color: $disabled; border-color: $line; }
QPushButton[variant="primary"] { background: $accent; color: $onaccent; border-color: $accent; font-weight: 600; }
QPushButton[variant="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[variant="primary"]:pressed { background: $accent_press; border-color: $accent_press; }
QPushButton[variant="primary"]:focus { border: 2px solid $text; }
QPushButton[variant="primary"]:disabled { background: transparent; color: $disabled; border-color: $line; }
QPushButton[variant="tint"] { background: $sel; color: $accent_text; border-color: $sel_line; font-weight: 600; }
QPushButton[variant="tint"]:hover { color: $text; }
QPushButton[variant="tint"]:pressed { background: $pressed; }
QPushButton[variant="tint"]:focus { border: 2px solid $accent; }
QPushButton[variant="tint"]:disabled { background: transparent; color: $disabled; border-color: $line; }
QPushButton[variant="link"] { background: transparent; color: $accent_text; border: 1px solid transparent; padding: 0 6px; }
QPushButton[variant="link"]:hover { background: $hover; color: $text; }
QPushButton[variant="link"]:focus { border: 2px solid $accent; padding: 0 5px; }
QPushButton[variant="link"]:disabled { color: $disabled; }
QPushButton[compact="true"] { min-height: ${compact_rest}px; max-height: ${compact_rest}px; }
QPushButton[compact="true"]:focus { min-height: ${compact_focus}px; max-height: ${compact_focus}px; }
QPushButton[variant="icon"] { background: transparent; border: 1px solid transparent; padding: 0; }
QPushButton[variant="icon"]:hover { background: $hover; }
QPushButton[variant="icon"]:pressed { background: $pressed; }
QPushButton[variant="icon"]:checked { background: $sel; border-color: $sel_line; }
QPushButton[variant="icon"]:focus { border: 2px solid $accent; padding: 0; }
QPushButton[variant="icon"]:disabled { background: transparent; border-color: transparent; }

QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox {
    background: $field; color: $text; border: 1px solid $line2; border-radius: ${radius}px; padding: 0 7px;
    placeholder-text-color: $text3; }
QLineEdit, QAbstractSpinBox { min-height: ${field_rest}px; max-height: ${field_rest}px; }
QLineEdit:focus, QAbstractSpinBox:focus {
    border: 2px solid $accent; padding: 0 6px; min-height: ${field_focus}px; max-height: ${field_focus}px; }
QLineEdit[kind="number"] { padding: 0 4px; }
QLineEdit[kind="number"]:focus { padding: 0 3px; }
QPlainTextEdit:focus, QTextEdit:focus { border: 2px solid $accent; padding: 0 6px; }
QLineEdit[state="error"] { border: 1px solid $err; }
QLineEdit[state="error"]:focus { border: 2px solid $err; }
QLineEdit:disabled, QPlainTextEdit:disabled, QTextEdit:disabled, QAbstractSpinBox:disabled {
    background: transparent; color: $disabled; border-color: $line; }

QComboBox {
    background: $field; color: $text; border: 1px solid $line2; border-radius: ${radius}px; padding: 0 0 0 7px;
    min-height: ${field_rest}px; max-height: ${field_rest}px; }
QComboBox:hover { background: $hover; }
QComboBox:focus { border: 2px solid $accent; padding: 0 0 0 6px; min-height: ${field_focus}px; max-height: ${field_focus}px; }
QComboBox:disabled { background: transparent; color: $disabled; border-color: $line; }
QComboBox::drop-down { subcontrol-origin: border; subcontrol-position: center right; width: 24px; border: none; background: transparent; }
QComboBox::down-arrow { image: url("$chevron_down_text2"); width: 14px; height: 14px; }
QComboBox::down-arrow:disabled { image: url("$chevron_down_disabled"); }
QComboBox QAbstractItemView {
    background: $raised; color: $text; border: 1px solid $line2; padding: 4px; outline: 0;
    selection-background-color: $sel; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: ${list_row}px; padding: 0 6px; border-radius: ${radius_badge}px; }
QComboBox QAbstractItemView::item:selected { background: $sel; color: $text; }
QComboBox QAbstractItemView::item:disabled { color: $disabled; }

QMenu { background: $raised; border: 1px solid $line2; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 10px; border-radius: ${radius_badge}px; background: transparent; }
QMenu::item:selected { background: $sel; color: $text; }
QMenu::item:disabled { color: $disabled; }
QMenu::icon { padding-left: 8px; }
QMenu::separator { height: 1px; background: $line; margin: 4px 6px; }
QMenu::indicator { width: 14px; height: 14px; left: 8px; }
QMenu::indicator:checked { image: url("$check_text"); }
QMenu::right-arrow { image: url("$chevron_right_text2"); width: 14px; height: 14px; right: 6px; }
QMenuBar { background: $window; }
QMenuBar::item:selected { background: $hover; }

QCheckBox, QRadioButton { spacing: 8px; min-height: ${target}px; background: transparent; border: 1px solid transparent; }
QCheckBox::indicator, QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid $line2; background: $field; border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$check_onaccent"); }
QRadioButton::indicator:checked { background: $onaccent; border: 5px solid $accent; width: 6px; height: 6px; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border: 2px solid $accent; width: 12px; height: 12px; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: $line; background: transparent; }

QAbstractItemView { background: $panel; color: $text; border: none; outline: 0; alternate-background-color: $panel; }
QAbstractItemView:disabled { color: $disabled; }
QTreeView, QListView { show-decoration-selected: 1; }
QTreeView { selection-background-color: $sel; selection-color: $text; }
QTreeView::item, QListView::item { min-height: ${list_row}px; border: none; }
QListView::item { border-radius: ${radius}px; padding: 0 6px; }
QTreeView::item:hover, QListView::item:hover { background: $hover; color: $text; }
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected { background: $sel; color: $text; }
QTreeView::item:focus, QListView::item:focus { border: 2px solid $accent; }
QListView::item:focus { padding: 0 4px; }
QTreeView::branch { background: transparent; border-image: none; image: none; }
QTreeView::branch:has-children:closed { image: url("$chevron_right_text2"); }
QTreeView::branch:has-children:open { image: url("$chevron_down_text2"); }
QTableView { gridline-color: transparent; }
QTableView::item { border: none; padding: 0 11px; }
QTableView::item:focus { border: 2px solid $accent; padding: 0 9px; }
QHeaderView { background: $panel; border: none; }
QHeaderView::section {
    background: $panel; color: $text2; border: none; border-bottom: 1px solid $line; padding: 5px ${cell_margin}px;
    font-size: ${small}px; font-weight: 400; }
QHeaderView::section:hover { color: $text; }
QTreeView QHeaderView::section { padding: 5px 3px; }
QTableCornerButton::section { background: $panel; border: none; }

QScrollArea, QAbstractScrollArea > QWidget#qt_scrollarea_viewport { background: transparent; border: none; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $track; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $line2; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; border: none; background: transparent; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }

QSplitter { background: transparent; }
QSplitter::handle { background: $line; }
QSplitter::handle:hover, QSplitter::handle:focus { background: $accent; }
QSplitter[role="views"]::handle { background: $well; }

QProgressBar { background: $track; border: none; border-radius: 2px; min-height: 4px; max-height: 4px; }
QProgressBar::chunk { background: $busy; border-radius: 2px; }
QTabBar { background: $panel; border: none; }
QGraphicsView { border: none; background: $image; }
QStatusBar { background: $window; color: $text2; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
"""
