"""Who gets the digest, when, and what of it: from PODCAST_RECIPIENTS.

The setting is a list of addresses with commas between, or the path of a file `….toml` with an entry a recipient:

    [[recipient]]
    address = "ann@example.com"
    name = "Ann"                       # the rest may be left out
    time_zone = "Europe/Lisbon"        # UTC
    send_hour = 7                      # without it, as soon as the digest is ready
    interests = ["battery storage"]    # what comes first, where the day has it
    muted_shows = ["Slow Steaming"]    # whose insights never come

    [[recipient]]
    name = "Product team"
    channel = "slack://…"              # in place of an address: where Apprise posts the digest in short
"""

import contextlib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import idna
from pydantic import AfterValidator, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError


class BadRecipients(ValueError):
    """The recipients file cannot be used, and trying again does not help; the message says where and why."""

    def __init__(self, file: Path, trouble: str):
        super().__init__(
            f"The recipients file {file}{trouble}. It is read anew whenever mail is sent: mend it, then clear the "
            "failed task."
        )


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; write it as Europe/Lisbon")
    return name


def mailbox(address: str) -> str:
    """One spelling for one mailbox, so that it gets one mail: lower case, an international domain as mail servers write
    it."""
    local, at, domain = unicodedata.normalize("NFC", address).strip().lower().rpartition("@")
    with contextlib.suppress(idna.IDNAError):
        domain = domain if domain.isascii() or not at else idna.encode(domain, uts46=True).decode()
    return f"{local}{at}{domain}"


def _known_mailbox(address: str) -> str:
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", address):
        raise ValueError(f"{address!r} is no mail address; write it as name@example.com")
    return mailbox(address)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A mailbox, and what its reader wants. `interests` are words or phrases, `muted_shows` titles of shows. Where a
    `channel` takes the place of the mailbox, `address` is its name as the ledger keeps it, without an @."""

    __pydantic_config__ = ConfigDict(extra="forbid", str_strip_whitespace=True)

    address: Annotated[str, AfterValidator(_known_mailbox)] = ""
    name: str = ""
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    send_hour: Annotated[int, Field(ge=0, le=23, strict=True)] | None = None
    interests: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    muted_shows: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    channel: SecretStr | None = None

    def due_at(self, day: date) -> datetime | None:
        """When the digest of a day is due, in UTC; None where it is to come as soon as it is ready.

        That is the send hour of the day after it; where that day begins so early that the digest's own day, which ends
        at midnight UTC, is not over by then, the send hour of the next. An hour that the clock skips is the one after
        it, one that comes twice is the first.
        """
        if self.send_hour is None:
            return None
        over = datetime.combine(day + timedelta(days=1), time(), UTC)
        local = datetime.combine(day + timedelta(days=1), time(self.send_hour), ZoneInfo(self.time_zone))
        if local.astimezone(UTC) < over:
            local += timedelta(days=1)
        return local.astimezone(UTC)


def read(setting: str) -> tuple[Recipient, ...]:
    """The recipients that the setting names, one a mailbox.

    An address of a list may be a wrong one: that shows when its mail is written, and stops nobody else. Raises
    BadRecipients, naming file, entry and field, where the file cannot be read or says what it may not.
    """
    if setting.endswith(".toml"):
        return _read_file(Path(setting).expanduser())
    addresses = dict.fromkeys(mailbox(address) for address in setting.replace(",", " ").split())
    return tuple(Recipient(address) for address in addresses)


def _read_file(file: Path) -> tuple[Recipient, ...]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadRecipients(file, f", which PODCAST_RECIPIENTS names, cannot be read: {reason}") from None
    entries = content.pop("recipient", None)
    if content:
        raise BadRecipients(file, f" has {', '.join(sorted(content))} outside of any [[recipient]]")
    if not isinstance(entries, list) or not entries:
        raise BadRecipients(file, " has no [[recipient]]")
    found: dict[str, Recipient] = {}
    for number, entry in enumerate(entries, 1):
        recipient = _recipient(entry, number, file)
        if recipient.address in found:
            raise BadRecipients(file, f", recipient {number}: {recipient.address} stands there twice")
        found[recipient.address] = recipient
    return tuple(found.values())


def _recipient(entry: Mapping[str, Any], number: int, file: Path) -> Recipient:
    try:
        found = _ADAPTER.validate_python(entry)
    except ValidationError as errors:
        address = entry.get("address") if isinstance(entry, Mapping) else None
        told = "; ".join(
            f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"
            for error in errors.errors(include_url=False)
        )
        raise BadRecipients(file, f", recipient {number} ({address or 'no address'}): {told}") from None
    if bool(found.address) == bool(found.channel):
        raise BadRecipients(file, f", recipient {number}: it wants an address or a channel, one of them")
    if found.channel and (not found.name or "@" in found.name):
        raise BadRecipients(file, f", recipient {number}: a channel wants a name, without an @, by which it is known")
    return replace(found, address=mailbox(found.name)) if found.channel else found


_ADAPTER = TypeAdapter(Recipient)
