"""The mail of a day as each recipient gets it, written from the analysts' copy."""

from datetime import date

from include.delivery import mail, sending
from include.digest.recipients import Recipient
from include.settings import settings
from include.warehouse import publication


def letters(day: date) -> sending.Compose:
    """What writes the mail of a day to a recipient."""

    def write(recipient: Recipient, told: frozenset[str]) -> mail.Letter:
        with publication.open_copy(settings().published) as connection:
            return mail.write(connection, day, recipient, told, settings())

    return write
