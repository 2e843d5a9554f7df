"""When an episode was published and how long it is, in the spellings that feeds use."""

import calendar
import contextlib
import functools
import re
import unicodedata
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from typing import Any

from include.sources.document import text

_LANGUAGES = "en de fr es it pt nl sv da nb fi pl cs ru uk tr ro hu id".split()
"""Those whose names of months are understood; no two of them call different months the same."""
_TIME = r"(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:[.,]\d+)?\s*(?P<half>[ap]\.?\s?m\b\.?)?"
_WORDS = r"(?:[^\W\d_]+[.,]*\s+){0,2}"
_FORMS = tuple(
    re.compile(rf"\W*{date}(?:[\s,T]+{_WORDS}{_TIME}(?P<zone>.*))?", re.IGNORECASE | re.DOTALL)
    for date in (
        rf"{_WORDS}(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|[.º])?[\s-]*(?:de\s+)?(?P<month>[^\W\d_]+)\.?,?[\s-]*(?:de\s+)?"
        r"(?P<year>\d{4}|\d\d)\b",
        rf"{_WORDS}(?P<month>[^\W\d_]+)\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})\b",
        r"(?P<year>\d{4})-(?P<number>\d\d)-(?P<day>\d\d)",
    )
)
_OFFSET = re.compile(r"(?:GMT|UTC?|Z)?\s*([+-])(\d{1,2}):?(\d\d)?\b", re.IGNORECASE)
_HOURS = {
    zone: hours
    for hours, zones in {
        -10: "HST", -9: "AKST", -8: "PST AKDT", -7: "MST PDT", -6: "CST MDT", -5: "EST CDT COT PET", -4: "AST EDT CLT",
        -3.5: "NST", -3: "ADT BRT ART CLST", -2.5: "NDT", 0: "GMT UTC UT Z WET", 1: "CET MEZ MET WEST BST WAT",
        2: "CEST MESZ MEST EET SAST CAT", 3: "EEST MSK TRT EAT IDT", 4: "GST", 5: "PKT", 5.5: "IST", 5.75: "NPT",
        7: "WIB ICT", 8: "AWST HKT SGT PHT", 9: "JST KST", 9.5: "ACST", 10: "AEST", 10.5: "ACDT", 11: "AEDT",
        12: "NZST", 13: "NZDT",
    }.items()
    for zone in zones.split()
}  # fmt: skip
"""Hours east of UTC of zones by their names; of a name that has several meanings, the most usual."""
_ELSEWHERE: Mapping[str, Mapping[str, float]] = {
    "IST": {"IN": 5.5, "IL": 2, "IE": 1},
    "BST": {"BD": 6},
    "CST": {"CN": 8, "TW": 8},
    "EST": {"AU": 10},
    "EDT": {"AU": 11},
    "AST": {"SA": 3},
    "PST": {"PH": 8},
}
_REGION_OF_LANGUAGE = {
    "hi": "IN", "ta": "IN", "te": "IN", "mr": "IN", "he": "IL", "iw": "IL", "ga": "IE", "bn": "BD", "zh": "CN",
    "ar": "SA", "fil": "PH", "tl": "PH",
}  # fmt: skip


@dataclass(slots=True)
class Calendar:
    """How the dates of one feed are to be read: `regions` where it may be at home (country codes), `offsets` that its
    dates give in figures, in hours. `unsure` gathers the zones for which neither decided, and what was assumed."""

    regions: set[str] = field(default_factory=set)
    offsets: set[float] = field(default_factory=set)
    unsure: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, language: str, address: str, dates: Iterable[str]) -> "Calendar":
        """From a feed's language tag, its address, and the dates that it gives."""
        tags = language.replace("_", "-").split("-")
        regions = {tag.upper() for tag in tags[1:]} | {_REGION_OF_LANGUAGE.get(tags[0].lower(), "")}
        regions.add(address.rpartition(".")[2].upper())
        found = (_OFFSET.search(date[-12:]) for date in dates)
        return cls(regions, {_hours(offset) for offset in found if offset})

    def moment(self, entry: Mapping) -> datetime | None:
        """The publication instant of an item in UTC; a date without a zone is taken as UTC."""
        for said in (text(entry, "published"), text(entry, "updated")):
            if said and (read := self._read(said)):
                return read
        parsed = entry.get("published_parsed") or ("updated_parsed" in entry and entry["updated_parsed"])
        with contextlib.suppress(ValueError, OverflowError, OSError):
            if parsed:
                return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
            if mail_date := parsedate_tz(text(entry, "published")):  # reads what has no zone, as feedparser does not
                return datetime(*mail_date[:6], tzinfo=UTC) - timedelta(seconds=mail_date[9] or 0)
        return None

    def remark(self) -> str | None:
        """What is to be said of dates whose zone may be another one."""
        if not self.unsure:
            return None
        assumed = ", ".join(f"{zone!r} as UTC{hours:+g} h" for zone, hours in sorted(self.unsure.items()))
        return f"the time zone of its dates is not certain; read were {assumed}"

    def _read(self, said: str) -> datetime | None:
        said = re.sub(r" ?, ?", ", ", " ".join(said.split()))[:100]
        for form in _FORMS:
            if found := form.fullmatch(said):
                break
        else:
            return None
        part = found.groupdict()
        month = int(part["number"]) if part.get("number") else _months().get(_plain(part["month"]))
        if month is None:
            return None
        hour, half = int(part["hour"] or 0), (part["half"] or " ").lower()[0]
        hour = hour % 12 + 12 * (half == "p") if half in "ap" and hour <= 12 else hour
        year = int(part["year"]) + (2000 if len(part["year"]) == 2 else 0)
        with contextlib.suppress(ValueError, OverflowError):
            local = datetime(year, month, int(part["day"]), tzinfo=UTC)
            local += timedelta(hours=hour, minutes=int(part["minute"] or 0), seconds=int(part["second"] or 0))
            return self._in_utc(local, re.sub(r"\bUhr\b", "", part["zone"] or "").strip()) if hour <= 24 else None
        return None

    def _in_utc(self, local: datetime, zone: str) -> datetime:
        """The instant of a local time; a zone that is not known is taken for UTC, and remarked on."""
        if offset := _OFFSET.match(zone):
            return local - timedelta(hours=_hours(offset))
        name = zone.strip("()[]. ")
        if "/" in name:
            with contextlib.suppress(zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                return local.replace(tzinfo=zoneinfo.ZoneInfo(name)).astimezone(UTC)
        name = name.upper() or "UTC"
        return local - timedelta(hours=self._zone(name))

    def _zone(self, name: str) -> float:
        others = _ELSEWHERE.get(name, {})
        for region, hours in others.items():
            if region in self.regions or hours in self.offsets:
                return hours
        if name == "IST" or name not in _HOURS:
            self.unsure[name[:20]] = _HOURS.get(name, 0)
        return _HOURS.get(name, 0)


def _hours(offset: re.Match) -> float:
    sign, hours, minutes = offset.groups()
    if minutes is None and len(hours) == 1:
        minutes = "0"
    return (int(hours) + int(minutes or 0) / 60) * (-1 if sign == "-" else 1)


@functools.cache
def _months() -> Mapping[str, int]:
    from babel import Locale

    names = {"sept": 9, "juni": 6, "juli": 7}
    for language in _LANGUAGES:
        months: Any = Locale(language).months
        for forms in months.values():
            for width in ("wide", "abbreviated"):
                names |= {_plain(name): number for number, name in forms[width].items()}
    return names


def _plain(name: str) -> str:
    """A name in small letters, without marks."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).strip(". ")


def duration(given: str | None) -> int | None:
    """Seconds of an itunes:duration: `3723`, `62:03`, `1:02:03`, `1h 2m 3s`, `62 minutes`, `PT1H2M3S`.

    None where it is no duration, or none that an episode can have (0, or more than two days).
    """
    said = re.sub(r"\s*:\s*", ":", (given or "").strip().lower())
    if re.fullmatch(r"[0-9]{1,9}([.,][0-9]*)?", said):
        seconds = int(re.split("[.,]", said)[0])
    elif re.fullmatch(r"[0-9]{1,6}(:[0-9]{1,2}){1,2}([.,][0-9]*)?", said):
        seconds = 0
        for figure in re.split("[.,]", said)[0].split(":"):
            seconds = seconds * 60 + int(figure)
    else:
        unit = r"(?:([0-9]{1,6})\s*%s[a-z]*\.?)?[\s,]*"
        units = re.fullmatch("(?:pt)?" + unit % "h" + unit % "m" + unit % "s", said)
        hours, minutes, rest = (int(figure or 0) for figure in (units.groups() if units else ("", "", "")))
        seconds = hours * 3600 + minutes * 60 + rest
    return seconds if 0 < seconds <= 48 * 3600 else None
