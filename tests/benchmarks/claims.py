"""How fast transcripts are read offline: the whole extractor beside its embedding model alone, on the sample."""

import time

from include.claims.claim import Episode
from include.claims.offline.extractor import OfflineExtractor
from include.claims.offline.passages import sentences
from include.local.sample import server as sample
from include.models.embedding import bundled_encoder
from include.transcripts import formats


def rows() -> list[tuple[str, float, str]]:
    """Name, seconds for 10,000 words, and what it is beside the embedding alone."""
    read = [formats.parse(file.read_bytes(), "json") for file in sample.FOLDER.glob("transcripts/*/*.json")]
    spoken = sum(formats.word_count(segments) for segments in read)
    texts = [sentence.text for segments in read for sentence in sentences(segments)]
    encoder, extractor = bundled_encoder(), OfflineExtractor()
    encoder.encode(texts[:8])
    extractor.extract(Episode("warm", "up", "run"), read[0][:20])
    began = time.perf_counter()
    encoder.encode(texts)
    embedding = (time.perf_counter() - began) * 10_000 / spoken
    began = time.perf_counter()
    for segments in read:
        extractor.extract(Episode("e", "Show", "Episode"), segments)
    extraction = (time.perf_counter() - began) * 10_000 / spoken
    return [
        ("embedding each sentence once, 10,000 words", embedding, "1.0 ×"),
        ("finding claims offline, 10,000 words", extraction, f"{extraction / embedding:.1f} × as long"),
    ]
