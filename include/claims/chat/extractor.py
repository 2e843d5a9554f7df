"""Claims found by a chat model: the model proposes, and what cannot be found in the transcript is dropped."""

import re
from collections.abc import Sequence

from include.claims.chat.drafts import (
    NUMBERS_WITHIN,
    ChosenPassages,
    CorrectedText,
    CorrectedTexts,
    Draft,
    Source,
    without_duplicates,
)
from include.claims.chat.windows import LINE_WORDS, OVERLAP_WORDS, SHORT_LINE, Line, number_lines, split_windows
from include.claims.claim import DroppedClaim, Episode, Extraction
from include.claims.grounding import WordIndex
from include.claims.untrusted import as_data, orders_cut
from include.models.calls import ANSWERED
from include.models.forms import as_form, items_of
from include.models.questions import Answer, Asks, NobodyAnswered, Question, load_prompt, short_hash
from include.settings import ENGLISH, SMALL_WINDOW_WORDS, WINDOW_WORDS
from include.transcripts.segment import Segment

WORDS_A_CLAIM, FEWEST, MOST = 350, 8, 24
"""A part of so many words for each may give so many claims, at least and at most."""

_TOO_LONG = r"(?i)context|too (?:long|large)|tokens"
"""How providers say that a question does not fit: "maximum context length", "prompt is too long", "exceeds the maximum
number of tokens allowed"."""


class ChatExtractor:
    """Reads a transcript as a whole where it is no longer than `window_words`, else in parts of like length, and keeps
    what can be found in it. What is refused as a whole, or is too long for the model, is read in smaller parts.

    Headlines and insights are in `language`, its name in English, whatever the transcript is in; quotes stay as said.
    A transcript costs a question for each `window_words` of it, of some 1.5 tokens a word and 1,300 more, and one for
    every eight texts that say what nobody said, or do not tell what they are about. Asking again is safe: answered
    questions are not asked twice.
    """

    def __init__(
        self,
        model: Asks,
        window_words: int = WINDOW_WORDS,
        overlap_words: int = OVERLAP_WORDS,
        language: str = ENGLISH,
    ):
        self.name = model.name
        self._model = model
        self._window_words = window_words
        self._overlap_words = overlap_words
        self._language = language
        self._extract = load_prompt("extract", language)
        self._repair = load_prompt("repair", language)
        self.version = short_hash(
            self._extract.version,
            self._repair.version,
            f"{window_words}/{overlap_words}/{LINE_WORDS}/{SHORT_LINE}/{NUMBERS_WITHIN}",
            f"{WORDS_A_CLAIM}/{FEWEST}/{MOST}",
        )

    def extract(self, episode: Episode, segments: Sequence[Segment]) -> Extraction:
        """The grounded claims in spoken order, and what was dropped with its reason.

        Reasons: quote_not_found, quote_too_short, wrong_speaker, unsupported_number, unsupported_name, nothing_left,
        duplicate, malformed, gives_orders. A window that was not read is a drop too, with an empty quote: not_read (no
        answer), refused, skipped_budget; its detail names the segments. Raises NobodyAnswered where no window at all
        was answered, unless the budget was the reason.
        """
        lines = number_lines(segments)
        read = self._read(episode, lines, self._window_words)
        failed = [answer for _, answer in read if answer.status == "failed"]
        if failed and not any(answer.status in ANSWERED for _, answer in read):
            raise NobodyAnswered(
                f"{self.name} read nothing of episode {episode.episode_id}, {len(failed)} of {len(read)} windows "
                f"failed; the last error: {failed[-1].error}"
            )
        source = Source(episode, WordIndex(segments), self._language)
        dropped: list[DroppedClaim] = []
        drafts: list[Draft] = []
        for window, answer in read:
            dropped.extend(_unread(window, answer))
            for item in items_of(answer, "claims"):
                draft = source.draft(item, lines)
                (drafts if isinstance(draft, Draft) else dropped).append(draft)  # type: ignore[arg-type]
        drafts, duplicates = without_duplicates(drafts)
        dropped.extend(duplicates)
        drafts, unrepaired = self._repaired(episode, source, drafts)
        dropped.extend(unrepaired)
        drafts.sort(key=lambda draft: (draft.place.first_word, draft.place.last_word))
        return Extraction(tuple(draft.claim() for draft in drafts), tuple(dropped))

    def _read(self, episode: Episode, lines: Sequence[Line], window_words: int) -> list[tuple[Sequence[Line], Answer]]:
        """The windows of a transcript, each with what was answered."""
        windows = split_windows(lines, window_words, self._overlap_words)
        questions = [self._question(episode, window, (i, len(windows))) for i, window in enumerate(windows, 1)]
        read: list[tuple[Sequence[Line], Answer]] = []
        for window, answer in zip(windows, self._model.ask_all(questions), strict=True):
            is_long = window_words > SMALL_WINDOW_WORDS and _words(window) > SMALL_WINDOW_WORDS
            again = is_long and (answer.status == "refused" or _is_too_long(answer))
            read.extend(self._read(episode, window, SMALL_WINDOW_WORDS) if again else [(window, answer)])
        return read

    def _question(self, episode: Episode, window: Sequence[Line], part: tuple[int, int]) -> Question:
        return Question(
            task="extract",
            subject_id=episode.episode_id,
            prompt=self._extract,
            values={
                "notes": _notes(episode),
                "part": "{} of {}".format(*part),
                "most": str(min(max(round(_words(window) / WORDS_A_CLAIM), FEWEST), MOST)),
                "lines": "\n".join(line.shown for line in window),
            },
            schema=ChosenPassages,
        )

    def _repaired(
        self, episode: Episode, source: Source, drafts: list[Draft]
    ) -> tuple[list[Draft], list[DroppedClaim]]:
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
                values={
                    "notes": _notes(episode),
                    "items": "\n\n".join(source.complaint(i, draft) for i, draft in enumerate(batch, 1)),
                },
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
                    dropped.append(DroppedClaim(draft.place.quote, "nothing_left", "; ".join(draft.said)))
                elif better.faults:
                    dropped.append(DroppedClaim(draft.place.quote, better.faults[0][0], "; ".join(better.said)))
                else:
                    sound.append(better)
        return sound, dropped


def _notes(episode: Episode) -> str:
    """The episode with its show and day, who took part, and the beginning of the show notes."""
    show, title = orders_cut([episode.show_title, episode.title])
    day = f", published on {episode.published:%d %B %Y}" if episode.published else ""
    about = f"“{title}” of the show “{show}”{day}"
    notes = orders_cut([", ".join(episode.persons), episode.description[:1500]])
    return "\n".join(as_data(note) for note in (about, *notes) if note)


def _is_too_long(answer: Answer) -> bool:
    return answer.status == "failed" and re.search(_TOO_LONG, answer.error or "") is not None


def _words(window: Sequence[Line]) -> int:
    return sum(line.word_count for line in window)


def _unread(window: Sequence[Line], answer: Answer) -> list[DroppedClaim]:
    reason = {"failed": "not_read", "refused": "refused", "skipped_budget": "skipped_budget"}.get(answer.status)
    if reason is None and answer.status != "ok" and not items_of(answer, "claims"):
        reason = "malformed"
    if reason is None:
        return []
    return [
        DroppedClaim(
            "", reason, f"segments {window[0].segments[0]} to {window[-1].segments[1]}: {answer.error or answer.status}"
        )
    ]
