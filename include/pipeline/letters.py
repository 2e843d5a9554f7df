"""The mail of a day as each recipient gets it, written from the analysts' copy."""

from datetime import date

from include.delivery import ledger, mail
from include.digest import personal
from include.digest.recipients import Recipient
from include.models.meaning import claim_encoder
from include.settings import settings
from include.warehouse import publication


def letters(day: date) -> ledger.Compose:
    """What writes the mail of a day to a recipient."""

    def write(recipient: Recipient, told: frozenset[str]) -> ledger.Letter:
        with publication.open_copy(settings().published) as connection:
            digest = personal.read_for(connection, day, recipient, told, lambda texts: claim_encoder().encode(texts))
        message = mail.compose(digest, recipient, settings().sender, settings().site_url, mail.one_click(settings()))
        return ledger.Letter(message, digest.insights)

    return write
