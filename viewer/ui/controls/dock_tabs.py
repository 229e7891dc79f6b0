"""The dock's tabs: icon over caption, equally wide, the keys and the role of an ordinary tab bar."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QTabBar, QWidget

from viewer.ui import icons
from viewer.ui.controls.painting import focus_ring, rounded
from viewer.ui.theme import font, sizes, tokens


class DockTabs(QTabBar):
    """Tabs for a stack of panels; ``currentChanged(int)`` says which. Left, Right, Home and End move."""

    def __init__(self, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons: list[str] = []
        self._hovered = -1
        self.setAccessibleName(name)
        self.setDrawBase(False)
        self.setExpanding(True)
        self.setUsesScrollButtons(False)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setFixedHeight(sizes().tabs)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def add_tab(self, icon: str, caption: str, tooltip: str = "") -> int:
        """Add a tab at the end; its index."""
        icons.svg_text(icon, "#000000")
        self._icons.append(icon)
        at = self.addTab(caption)
        self.setTabToolTip(at, tooltip or caption)
        return at

    def tabRemoved(self, index: int) -> None:
        super().tabRemoved(index)
        del self._icons[index]

    def tabSizeHint(self, index: int) -> QSize:
        count = max(1, self.count())
        wide = max(self.width(), count * 40)
        return QSize(wide * (index + 1) // count - wide * index // count, sizes().tabs)

    def minimumTabSizeHint(self, index: int) -> QSize:
        return QSize(40, sizes().tabs)

    def sizeHint(self) -> QSize:
        return QSize(max(1, self.count()) * 66, sizes().tabs)

    def minimumSizeHint(self) -> QSize:
        return QSize(max(1, self.count()) * 40, sizes().tabs)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        order = [i for i in range(self.count()) if self.isTabEnabled(i)]
        if order and event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.setCurrentIndex(order[0] if event.key() == Qt.Key.Key_Home else order[-1])
            return
        super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hovered(self.tabAt(event.position().toPoint()))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hovered(-1)
        super().leaveEvent(event)

    def _set_hovered(self, at: int) -> None:
        if at != self._hovered:
            self._hovered = at
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        t, s = tokens(), sizes()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(t.panel))
        painter.fillRect(QRect(0, self.height() - s.hairline, self.width(), s.hairline), QColor(t.line))
        painter.setFont(font("caption"))
        for at in range(self.count()):
            self._paint_tab(painter, at, self.tabRect(at))

    def _paint_tab(self, painter: QPainter, at: int, rect: QRect) -> None:
        t, s = tokens(), sizes()
        current, hovered, live = at == self.currentIndex(), at == self._hovered, self.isTabEnabled(at) and self.isEnabled()
        if hovered and live and not current:
            rounded(painter, QRectF(rect.adjusted(2, 2, -2, -4)), s.radius, fill=t.hover)
        words = t.disabled if not live else t.text if current or hovered else t.text2
        mark = t.disabled if not live else t.accent_text if current else t.text if hovered else t.text2
        metrics = QFontMetrics(font("caption"))
        top = rect.top() + (rect.height() - s.icon_tab - s.tight - metrics.height()) // 2
        place = QPoint(rect.left() + (rect.width() - s.icon_tab) // 2, top)
        painter.drawPixmap(place, icons.pixmap(self._icons[at], s.icon_tab, mark, self.devicePixelRatioF()))
        line = metrics.elidedText(self.tabText(at), Qt.TextElideMode.ElideRight, rect.width() - s.tight)
        painter.setPen(QColor(words))
        painter.drawText(QRect(rect.left(), top + s.icon_tab + s.tight, rect.width(), metrics.height()), Qt.AlignmentFlag.AlignCenter, line)
        if current:
            painter.fillRect(QRect(rect.left(), rect.bottom() - 1, rect.width(), 2), QColor(t.accent if live else t.track))
            if self.hasFocus():
                focus_ring(painter, QRectF(rect.adjusted(1, 1, -1, -3)))
