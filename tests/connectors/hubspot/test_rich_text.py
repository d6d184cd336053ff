"""A task's body in HubSpot: what people see, and that nothing in it is markup but ours."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from connectors.hubspot.rich_text import rich_text

OURS = {"p", "strong", "br", "ul", "li"}


class Reader(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not attrs
        assert tag not in ("p", "ul") or not self.open  # neither paragraph nor list stands inside a paragraph
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_headings_are_bold_and_dashes_are_a_list() -> None:
    """As the brief has them."""
    body = "Open with:\n“You have 9 seats.”\n\nWhy now:\n- 9 < 10 & rising\n- “so”"
    assert rich_text(body) == (
        "<p><strong>Open with:</strong><br>“You have 9 seats.”</p>"
        "<p><strong>Why now:</strong></p><ul><li>9 &lt; 10 &amp; rising</li><li>“so”</li></ul>"
    )


def test_a_note_of_one_part_stays_a_line_of_text() -> None:
    """Such as the reason for closing a task."""
    assert rich_text("The signal is gone.\nSee <b>") == "The signal is gone.<br>See &lt;b&gt;"


@given(st.text(st.sampled_from("ab<>&\"'- :\n/=é☃"), min_size=1, max_size=80))
def test_whatever_a_customer_wrote_only_our_tags_are_markup(text: str) -> None:
    """All of them are closed, without attributes, and every letter is still there."""
    if not text.strip():
        return
    page = Reader(rich_text(text))
    assert set(page.tags) <= OURS
    assert not page.open
    letters = [char for char in text if char.isalnum() or char in "<>&"]
    assert [char for char in page.text if char.isalnum() or char in "<>&"] == letters
