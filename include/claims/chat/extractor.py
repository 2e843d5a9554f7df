"""Claims found and scored by a chat model.

The model proposes and code decides. The extractor takes from the model only what it can find in the transcript; the
scorer takes ratings only on the scale they were asked for, and orders the day's best by comparisons made in both
orders. Transcripts are sent as data (`include.claims.untrusted`).
"""

import hashlib
import itertools
import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator
from rapidfuzz import fuzz

from include.claims.claim import UNRATED, Claim, DroppedClaim, Episode, Extraction, ReadEpisode, Score, claim_id
from include.claims.facts import spellings, unsupported
from include.claims.grounding import SHORTEST_QUOTE, Passage, Transcript, matching_speaker
from include.claims.untrusted import as_data, gives_orders, orders_cut, visible, without_orders
from include.models.chat import ANSWERED, Answer, Asks, NobodyAnswered, Question, load_prompt, short_hash
from include.models.forms import Form, as_form, items_of
from include.transcripts.segment import Segment
from include.warehouse.rules import HEADLINE_CHARACTERS, INSIGHT_CHARACTERS
from include.words import words

Kind = Literal["fact", "cause", "prediction", "tradeoff", "number", "strategy", "lesson", "opinion"]

WINDOW_WORDS = 2500
OVERLAP_WORDS = 250
LINE_WORDS = 100
NUMBERS_WITHIN = 150
"""Numbers of an insight must occur within so many words of its quote; names anywhere in the episode."""
TOP = 20


class ChosenPassage(Form):
    """One passage that carries an insight."""

    first_line: int
    last_line: int
    quote: str
    speaker: str
    headline: str
    insight: str
    kind: Kind


class ChosenPassages(Form):
    """The passages of this part that carry an insight; none where there are none."""

    claims: list[ChosenPassage]


class CorrectedText(Form):
    """One text, corrected; keep is false where nothing worth saying is left."""

    item: int
    keep: bool
    speaker: str
    headline: str
    insight: str


class CorrectedTexts(Form):
    """All texts, corrected."""

    items: list[CorrectedText]


def _on_scale(value: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= 5):
        raise ValueError("a rating is a number from 0 to 5")
    return value


# A validator rather than bounds: bounds would enter the schema, which some providers then refuse.
Rating = Annotated[float, AfterValidator(_on_scale)]


class Ratings(Form):
    """The four ratings of the claim, each from 0 to 5 with a line that says why."""

    novelty: Rating
    novelty_reason: str
    specificity: Rating
    specificity_reason: str
    evidence: Rating
    evidence_reason: str
    significance: Rating
    significance_reason: str


class Verdict(Form):
    """Which of claim A and the claim of this number is the better."""

    number: int
    better: Literal["A", "other", "tie"]


class Verdicts(Form):
    """A verdict for each numbered claim."""

    verdicts: list[Verdict]


class ChatExtractor:
    """Reads a whole transcript in overlapping windows and keeps what can be found in it.

    A transcript of n words costs about n / 2,250 questions of some 4,500 tokens, and at most one more to correct texts
    that say what nobody said. Asking again is safe: answered questions are not asked twice.
    """

    def __init__(
        self,
        model: Asks,
        worth: Callable[[str], float] | None = None,
        window_words: int = WINDOW_WORDS,
        overlap_words: int = OVERLAP_WORDS,
    ):
        """`worth` rates the text of a window; where the budget is short, the windows of most worth are read first."""
        self.name = model.name
        self._worth = worth
        self._model = model
        self._window_words = window_words
        self._overlap_words = overlap_words
        self._extract = load_prompt("extract")
        self._repair = load_prompt("repair")
        self.version = short_hash(
            self._extract.version, self._repair.version, f"{window_words}/{overlap_words}/{LINE_WORDS}/{NUMBERS_WITHIN}"
        )

    def extract(self, episode: Episode, segments: Sequence[Segment]) -> Extraction:
        """The grounded claims in spoken order, and what was dropped with its reason.

        Reasons: quote_not_found, quote_too_short, wrong_speaker, unsupported_number, unsupported_name, nothing_left,
        duplicate, malformed, gives_orders. A window that was not read is a drop too, with an empty quote: not_read (no
        answer), refused, skipped_budget; its detail names the segments. Raises NobodyAnswered where no window at all
        was answered, unless the budget was the reason.
        """
        lines = number_lines(segments)
        windows = split_windows(lines, self._window_words, self._overlap_words)
        if not windows:
            return Extraction(())
        if self._worth:
            worth = self._worth
            windows.sort(key=lambda window: -worth("\n".join(line.shown for line in window)))
        answers = self._model.ask_all([self._question(episode, window) for window in windows])
        failed = [answer for answer in answers if answer.status == "failed"]
        if failed and not any(answer.status in ANSWERED for answer in answers):
            raise NobodyAnswered(
                f"{self.name} read nothing of episode {episode.episode_id}, {len(failed)} of {len(answers)} windows "
                f"failed; the last error: {failed[-1].error}"
            )
        source = _Source(episode, Transcript(segments))
        dropped: list[DroppedClaim] = []
        drafts: list[_Draft] = []
        for window, answer in zip(windows, answers, strict=True):
            dropped.extend(_unread(window, answer))
            for item in items_of(answer, "claims"):
                draft = source.draft(item, lines)
                (drafts if isinstance(draft, _Draft) else dropped).append(draft)  # type: ignore[arg-type]
        drafts, duplicates = _without_duplicates(drafts)
        dropped.extend(duplicates)
        drafts, unrepaired = self._repaired(episode, source, drafts)
        dropped.extend(unrepaired)
        drafts.sort(key=lambda draft: (draft.passage.first_word, draft.passage.last_word))
        return Extraction(tuple(draft.claim() for draft in drafts), tuple(dropped))

    def _question(self, episode: Episode, window: Sequence["Line"]) -> Question:
        notes = orders_cut([episode.title, ", ".join(episode.persons), episode.description[:1500]])
        return Question(
            task="extract",
            subject_id=episode.episode_id,
            prompt=self._extract,
            values={
                "notes": "\n".join(as_data(note) for note in notes if note),
                "lines": "\n".join(line.shown for line in window),
            },
            schema=ChosenPassages,
        )

    def _repaired(
        self, episode: Episode, source: "_Source", drafts: list["_Draft"]
    ) -> tuple[list["_Draft"], list[DroppedClaim]]:
        """The drafts whose texts hold, some after one correction by the model; the others, dropped."""
        sound = [draft for draft in drafts if not draft.problems]
        wrong = [draft for draft in drafts if draft.problems]
        dropped: list[DroppedClaim] = []
        batches = [wrong[i : i + 8] for i in range(0, len(wrong), 8)]
        questions = [
            Question(
                task="repair",
                subject_id=episode.episode_id,
                prompt=self._repair,
                values={"items": "\n\n".join(source.complaint(i, draft) for i, draft in enumerate(batch, 1))},
                schema=CorrectedTexts,
            )
            for batch in batches
        ]
        for batch, answer in zip(batches, self._model.ask_all(questions), strict=True):
            corrected = {
                text.item: text for item in items_of(answer, "items") if (text := as_form(CorrectedText, item))
            }
            for i, draft in enumerate(batch, 1):
                text = corrected.get(i)
                better = source.corrected(draft, text) if text and text.keep else draft
                if text and not text.keep:
                    dropped.append(DroppedClaim(draft.passage.quote, "nothing_left", "; ".join(draft.said)))
                elif better.problems:
                    dropped.append(DroppedClaim(draft.passage.quote, better.problems[0][0], "; ".join(better.said)))
                else:
                    sound.append(better)
        return sound, dropped


class ChatScorer:
    """Rates each claim alone on a rubric, then compares the day's best with each other in both orders.

    A day of n claims costs n questions of some 900 tokens, and one of some 3,500 for each of the best twenty.

    What keeps one generous answer from winning the day: ratings off the scale are no ratings; a rating far above the
    day's is cut to where the day's own spread allows (`calibrated`); an episode that was rated high as a whole keeps
    half of that; and the twenty best only trade places among the values they hold, two thirds by how often each was
    preferred to the others and one third by its rating. A preference counts where it holds in both orders.

    A claim that was not rated (the model failed, or the budget was spent) scores 0 and its reason says so: it stands
    behind all that were rated, since nothing speaks for it.
    """

    def __init__(self, model: Asks, top: int = TOP):
        self.name = model.name
        self._model = model
        self._top = top
        self._rubric = load_prompt("rubric")
        self._compare = load_prompt("compare")
        self.version = short_hash(self._rubric.version, self._compare.version, f"{WEIGHTS}/{top}")

    def score(self, day: Sequence[ReadEpisode]) -> list[list[Score]]:
        """One list an episode, one score a claim, in the order given. Raises NobodyAnswered where nothing was rated
        because the model did not answer."""
        candidates = [_Candidate.of(read, claim, place) for place, read in enumerate(day) for claim in read.claims]
        answers = self._model.ask_all(
            [Question("score", c.subject_id, self._rubric, {"claim": c.shown}, Ratings) for c in candidates]
        )
        for candidate, answer in zip(candidates, answers, strict=True):
            candidate.rate(answer)
        rated = [c for c in candidates if c.ratings is not None]
        if not rated and any(answer.status == "failed" for answer in answers):
            raise NobodyAnswered(
                f"{self.name} rated none of {len(candidates)} claims; the last error: {answers[-1].error}"
            )
        for candidate, value in zip(rated, calibrated([(c.episode, c.overall) for c in rated]), strict=True):
            candidate.value = value
        best = sorted(rated, key=lambda c: (-c.value, c.subject_id))[: self._top]
        if len(best) > 1:
            self._order(best)
        scores = iter([candidate.score() for candidate in candidates])
        return [list(itertools.islice(scores, len(read.claims))) for read in day]

    def _order(self, best: list["_Candidate"]) -> None:
        """Deals the values that the best hold out again, by how they fare against each other."""
        # Each meets the others in an order that has nothing to do with their ratings.
        shuffled = sorted(range(len(best)), key=lambda i: hashlib.sha256(best[i].shown.encode()).digest())
        meetings = [[other for other in shuffled if other != i] for i in range(len(best))]
        answers = self._model.ask_all(
            [
                Question(
                    "compare",
                    c.subject_id,
                    self._compare,
                    {"anchor": c.shown, "others": _numbered(best, met)},
                    Verdicts,
                )
                for c, met in zip(best, meetings, strict=True)
            ]
        )
        said: dict[tuple[int, int], float] = {}
        for i, (met, answer) in enumerate(zip(meetings, answers, strict=True)):
            for item in items_of(answer, "verdicts"):
                verdict = as_form(Verdict, item)
                if verdict is not None and 1 <= verdict.number <= len(met):
                    said[i, met[verdict.number - 1]] = {"A": 1.0, "other": 0.0, "tie": 0.5}[verdict.better]
        for i, candidate in enumerate(best):
            candidate.meet([(said.get((i, j)), said.get((j, i))) for j in range(len(best)) if j != i])
            by_rating = 1 - i / (len(best) - 1)
            candidate.merit = (2 * (by_rating if candidate.strength is None else candidate.strength) + by_rating) / 3
        values = [candidate.value for candidate in best]
        for value, candidate in zip(values, sorted(best, key=lambda c: -c.merit), strict=True):
            candidate.value = value


WEIGHTS = {"novelty": 0.25, "specificity": 0.12, "evidence": 0.19, "significance": 0.44}
"""How much each rating counts: the non-negative least-squares fit of careful readers' overall ratings of 408 insights
to their four part ratings (correlation 0.98), scaled to a sum of 1."""


def calibrated(rated: Sequence[tuple[int, float]]) -> list[float]:
    """The overall ratings (episode, 0 to 5), made comparable over the episodes of a day; 0 to 5 in the same order.

    An episode's distance from the day is halved: of the difference between its median and the median of all episodes'
    medians, half is taken off. Then nothing stands out further than the day's spread allows: values above the median
    by more than 2.5 times the scaled median absolute deviation (at least 0.4) are cut to that.
    """
    if not rated:
        return []
    medians = {
        episode: statistics.median(value for of, value in rated if of == episode) for episode in {of for of, _ in rated}
    }
    centre = statistics.median(medians.values())
    shifted = [value - (medians[episode] - centre) / 2 for episode, value in rated]
    middle = statistics.median(shifted)
    spread = max(1.4826 * statistics.median(abs(value - middle) for value in shifted), 0.4)
    highest = middle + 2.5 * spread if len(shifted) > 2 else 5.0
    return [min(max(value, 0.0), highest, 5.0) for value in shifted]


# Windows


@dataclass(frozen=True, slots=True)
class Line:
    """One numbered line of a transcript as the model sees it: a segment, or a piece of a long one."""

    number: int
    segment: int
    shown: str
    word_count: int


def number_lines(segments: Sequence[Segment]) -> list[Line]:
    """The lines of a transcript, numbered from 1, each at most about `LINE_WORDS` words. Segments without words, and
    sentences that speak to a model, are not shown."""
    lines: list[Line] = []
    turns = itertools.groupby(segments, key=lambda segment: segment.speaker)
    texts = [text for _, turn in turns for text in orders_cut([segment.text for segment in turn])]
    for segment, text in zip(segments, texts, strict=True):
        speaker = as_data(segment.speaker or "").replace(":", " ")[:60]
        for piece in _pieces(as_data(text)):
            number = len(lines) + 1
            shown = f"[{number}] {speaker}: {piece}" if speaker else f"[{number}] {piece}"
            lines.append(Line(number, segment.index, shown, len(piece.split())))
    return lines


def split_windows(lines: Sequence[Line], window_words: int, overlap_words: int) -> list[list[Line]]:
    """Runs of lines of at most `window_words` words (one line at least) that together hold every line; each begins
    with the last `overlap_words` words of the one before."""
    windows: list[list[Line]] = []
    start = 0
    while start < len(lines):
        end, count = start, 0
        while end < len(lines) and (end == start or count + lines[end].word_count <= window_words):
            count += lines[end].word_count
            end += 1
        windows.append(list(lines[start:end]))
        if end == len(lines):
            break
        back, shared = end, 0
        while back - 1 > start and shared + lines[back - 1].word_count <= overlap_words:
            back -= 1
            shared += lines[back].word_count
        start = back
    return windows


def _pieces(text: str) -> Iterable[str]:
    """A long text cut at sentences' ends, or, where these are far apart, between words."""
    piece: list[str] = []
    for word in text.split():
        piece.append(word)
        full = len(piece) >= LINE_WORDS
        if len(piece) >= LINE_WORDS * 2 or (full and re.search(r"[.!?…][\"'”’)]*$", word)):
            yield " ".join(piece)
            piece = []
    if piece:
        yield " ".join(piece)


# Drafts


@dataclass(frozen=True, slots=True)
class _Draft:
    """A claim whose quote was found; `problems` are what its texts say and nobody said, as (reason, detail)."""

    passage: Passage
    speaker: str | None
    headline: str
    insight: str
    kind: str
    problems: tuple[tuple[str, str], ...] = ()
    repaired: bool = False

    @property
    def said(self) -> list[str]:
        return [f"{reason}: {detail}" for reason, detail in self.problems]

    def claim(self) -> Claim:
        return Claim(
            quote=self.passage.quote,
            headline=self.headline,
            insight=self.insight,
            speaker=self.speaker,
            first_segment=self.passage.first_segment,
            last_segment=self.passage.last_segment,
            start_seconds=self.passage.start_seconds,
            kind=self.kind,
            features={"quote_likeness": self.passage.likeness, "text_corrected": float(self.repaired)},
        )


class _Source:
    """What the claims of an episode are held against."""

    def __init__(self, episode: Episode, transcript: Transcript):
        self._transcript = transcript
        self._known = (episode.title, episode.show_title, episode.description, *episode.persons, *transcript.speakers)
        self._names = spellings(transcript.text, *self._known)

    def draft(self, item: Any, lines: Sequence[Line]) -> _Draft | DroppedClaim:
        """What the model chose, grounded; or why it is dropped."""
        quote = visible(str(item.get("quote") or "")) if isinstance(item, Mapping) else ""
        if isinstance(item, Mapping) and item.get("kind") not in get_args(Kind):
            item = {**item, "kind": "opinion"}
        chosen = as_form(ChosenPassage, item)
        if chosen is None:
            return DroppedClaim(quote[:500], "malformed", "a field is missing or of another type")
        if len(words(quote)) < SHORTEST_QUOTE:
            return DroppedClaim(quote, "quote_too_short", f"fewer than {SHORTEST_QUOTE} words")
        passage = self._transcript.locate(quote, _segments_of(chosen, lines))
        if passage is None:
            return DroppedClaim(quote[:500], "quote_not_found", f"lines {chosen.first_line} to {chosen.last_line}")
        passage = self._transcript.whole_sentences(passage)
        headline, insight = visible(chosen.headline), visible(chosen.insight)
        if not _publishable(headline, insight):
            return DroppedClaim(passage.quote, "malformed", "headline or insight is too short or too long")
        if gives_orders(passage.quote) or gives_orders(headline) or gives_orders(insight):
            return DroppedClaim(passage.quote, "gives_orders", "the passage or its text speaks to a model")
        return self._checked(_Draft(passage, None, headline, insight, chosen.kind), chosen.speaker)

    def corrected(self, draft: _Draft, text: CorrectedText) -> _Draft:
        """The draft with the texts of a correction, checked again; as it was where these are of no use."""
        headline, insight = visible(text.headline), visible(text.insight)
        if not _publishable(headline, insight) or gives_orders(headline) or gives_orders(insight):
            return draft
        return self._checked(replace(draft, headline=headline, insight=insight, repaired=True), text.speaker)

    def complaint(self, number: int, draft: _Draft) -> str:
        """What the model is told of a draft that says what nobody said."""
        nearby = without_orders(self._transcript.around(draft.passage, NUMBERS_WITHIN))
        said = [f"{reason.replace('_', ' ')}: {detail}" for reason, detail in draft.problems]
        return "\n".join(
            (
                f"[{number}]",
                f"not borne out: {as_data('; '.join(said))}",
                f"possible speakers: {as_data(', '.join(draft.passage.speakers)) or 'unknown, leave empty'}",
                f"headline: {as_data(draft.headline)}",
                f"insight: {as_data(draft.insight)}",
                f"source text: {as_data(nearby)}",
            )
        )

    def _checked(self, draft: _Draft, named: str) -> _Draft:
        """The draft with its speaker, and the problems of its texts.

        Where the transcript names speakers, the claim's must be one who spoke there; where nobody is named, the one
        with the most words there is taken. Where it names none, a claim has none.
        """
        problems = []
        speakers = draft.passage.speakers
        speaker = speakers[0] if speakers else None
        named = visible(named)
        if named and speakers:
            speaker = matching_speaker(named, speakers)
            if speaker is None:
                problems.append(("wrong_speaker", f"{named}; there spoke {', '.join(speakers)}"))
        nearby = self._transcript.around(draft.passage, NUMBERS_WITHIN)
        stray = unsupported(f"{draft.headline}\n{draft.insight}", "\n".join((nearby, *self._known)), self._names)
        if stray.numbers:
            problems.append(("unsupported_number", ", ".join(stray.numbers)))
        if stray.names:
            problems.append(("unsupported_name", ", ".join(stray.names)))
        return replace(draft, speaker=speaker, problems=tuple(problems))


def _publishable(headline: str, insight: str) -> bool:
    """Whether the door into raw lets texts of these lengths pass."""
    fits = HEADLINE_CHARACTERS[0] <= len(headline) <= HEADLINE_CHARACTERS[1]
    return fits and INSIGHT_CHARACTERS[0] <= len(insight) <= INSIGHT_CHARACTERS[1]


def _without_duplicates(drafts: Sequence[_Draft]) -> tuple[list[_Draft], list[DroppedClaim]]:
    """Of drafts whose quotes share half of the shorter one's words, or whose insights say the same, the soundest."""
    kept: list[_Draft] = []
    dropped = []
    for draft in sorted(drafts, key=lambda d: (len(d.problems), -d.passage.likeness, d.passage.first_word, d.headline)):
        twin = next((other for other in kept if _same_point(draft, other)), None)
        if twin is None:
            kept.append(draft)
        else:
            dropped.append(DroppedClaim(draft.passage.quote, "duplicate", f"of: {twin.headline}"))
    return kept, dropped


def _same_point(one: _Draft, other: _Draft) -> bool:
    a, b = one.passage, other.passage
    shared = min(a.last_word, b.last_word) - max(a.first_word, b.first_word) + 1
    shorter = min(a.last_word - a.first_word, b.last_word - b.first_word) + 1
    return shared * 2 >= shorter or fuzz.token_set_ratio(one.insight.lower(), other.insight.lower()) >= 92


def _segments_of(chosen: ChosenPassage, lines: Sequence[Line]) -> tuple[int, int] | None:
    first, last = sorted((chosen.first_line, chosen.last_line))
    if not 1 <= first <= last <= len(lines):
        return None
    return lines[first - 1].segment, lines[last - 1].segment


def _unread(window: Sequence[Line], answer: Answer) -> list[DroppedClaim]:
    reason = {"failed": "not_read", "refused": "refused", "skipped_budget": "skipped_budget"}.get(answer.status)
    if reason is None and answer.status != "ok" and not items_of(answer, "claims"):
        reason = "malformed"
    if reason is None:
        return []
    return [
        DroppedClaim(
            "", reason, f"segments {window[0].segment} to {window[-1].segment}: {answer.error or answer.status}"
        )
    ]


# Candidates


@dataclass(slots=True)
class _Candidate:
    """A claim on its way to a score."""

    episode: int
    subject_id: str
    shown: str
    ratings: Ratings | None = None
    missing: str = ""
    value: float = 0.0
    strength: float | None = None
    merit: float = 0.0
    compared: int = 0
    preferred: int = 0

    @classmethod
    def of(cls, read: ReadEpisode, claim: Claim, place: int) -> "_Candidate":
        """The claim as the judge sees it: without its show, its speaker, and sentences that speak to a model."""
        texts = [blind(text, read.episode) for text in (claim.headline, claim.insight, claim.quote)]
        shown = "\n".join(
            f"{name}: {as_data(without_orders(text))}"
            for name, text in zip(("headline", "claim", "words quoted"), texts, strict=True)
        )
        return cls(place, claim_id(read.episode.episode_id, claim.quote), shown)

    @property
    def overall(self) -> float:
        return sum(weight * getattr(self.ratings, part) for part, weight in WEIGHTS.items())

    def rate(self, answer: Answer) -> None:
        self.ratings = as_form(Ratings, answer.data) if answer.status == "ok" else None
        self.missing = answer.error or f"the answer was {answer.status}"

    def meet(self, verdicts: Iterable[tuple[float | None, float | None]]) -> None:
        """Takes in how this claim fared against each other one: as first of the pair, and as second."""
        results = [
            first if first == 1 - second else 0.5
            for first, second in verdicts
            if first is not None and second is not None
        ]
        if results:
            self.strength = statistics.fmean(results)
            self.compared = len(results)
            self.preferred = sum(result == 1 for result in results)

    def score(self) -> Score:
        if self.ratings is None:
            return Score(0.0, f"{UNRATED}, and so behind all that were: {visible(self.missing)}"[:300])
        rating = self.ratings
        parts = sorted(WEIGHTS, key=lambda part: -WEIGHTS[part] * getattr(rating, part))[:2]
        said = "; ".join(
            f"{part} {getattr(rating, part):g}: {_said(getattr(rating, part + '_reason'))}" for part in parts
        )
        if self.compared:
            said += f"; preferred to {self.preferred} of {self.compared} others of the day in both orders"
        return Score(
            score=round(self.value, 3),
            reason=said,
            novelty=rating.novelty,
            specificity=rating.specificity,
            evidence=rating.evidence,
            significance=rating.significance,
        )


def _numbered(candidates: Sequence[_Candidate], places: Sequence[int]) -> str:
    return "\n\n".join(f"[{number}]\n{candidates[i].shown}" for number, i in enumerate(places, 1))


def blind(text: str, episode: Episode) -> str:
    """The text with the show's name taken out, whatever its case."""
    name = episode.show_title.strip()
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "the show", text, flags=re.I) if len(name) > 2 else text


def _said(reason: str) -> str:
    return without_orders(reason)[:120].rstrip(" .;")
