"""The digest in short, for a chat room or a telephone: headlines, who said it, and where to read on or listen."""

from email.message import EmailMessage

from include.delivery.headers import POLICY
from include.digest.reading import Digest
from include.digest.shown import web_address
from include.templates import environment, short_day

ROOM = 1_900
"""Characters of the text: Discord takes 2,000 with the title, the others more."""


def compose(digest: Digest, site_url: str = "") -> EmailMessage:
    """A subject and a plain text that fits into one post. The same arguments give the same message.

    Insights lead to their pages under `site_url` where it is set, else to the recording. What strangers said can call
    nobody by name and make no link.
    """
    message = EmailMessage(POLICY)
    message["Subject"] = f"Podcast insights, {short_day(digest.date)}"
    site = (web_address(site_url) or "").rstrip("/")
    for letters, links in ((300, True), (120, True), (120, False)):
        shown = environment().get_template("short.txt").render(digest=digest, site=site, letters=letters, links=links)
        if len(shown) <= ROOM:
            break
    message.set_content(shown.strip() + "\n")
    return message
