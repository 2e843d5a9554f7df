"""The digest in short, for a chat room or a telephone: headlines, who said it, and where to read on or listen."""

from email.message import EmailMessage

from include.delivery.headers import POLICY
from include.digest.reading import Digest
from include.digest.shown import web_address
from include.templates import environment, short_day

ROOM = 1_900
"""The most characters of the text that are worth it; Discord takes 2,000 with the title."""


def compose(digest: Digest, site_url: str = "", room: int = ROOM) -> EmailMessage:
    """A subject and a plain text that fits into one post of `room` characters, as far as that can be. The same
    arguments give the same message.

    Insights lead to their pages under `site_url` where it is set, else to the recording. What strangers said can call
    nobody by name and make no link.
    """
    message = EmailMessage(POLICY)
    message["Subject"] = f"Podcast insights, {short_day(digest.date)}"
    site = (web_address(site_url) or "").rstrip("/")
    for letters, links in ((300, "all"), (120, "all"), (120, "pages"), (60, "pages"), (60, "none")):
        shown = environment().get_template("short.txt").render(digest=digest, site=site, letters=letters, links=links)
        if len(shown) <= room:
            break
    message.set_content(shown.strip() + "\n")
    return message
