"""When an episode was published and how long it is, in the spellings that feeds use."""

import calendar
import contextlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

from include.sources.document import text


def moment(entry: Mapping) -> datetime | None:
    """The publication instant in UTC; a date without a zone is taken as UTC."""
    parsed = entry.get("published_parsed") or ("updated_parsed" in entry and entry["updated_parsed"])
    with contextlib.suppress(ValueError, OverflowError, OSError):
        if parsed:
            return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
        if mail_date := parsedate_tz(text(entry, "published")):  # reads what has no zone, as feedparser does not
            return datetime(*mail_date[:6], tzinfo=UTC) - timedelta(seconds=mail_date[9] or 0)
    return None


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
