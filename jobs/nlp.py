"""The Spark NLP pipeline over one column of messages: which annotators, in which order, with what inside.

Spark NLP is imported by its functions alone: it exists only in the Spark 3.5 environment (0080).
"""

import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import StopWordsRemover
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conf.settings import Linguistics
from jobs.errors import UsageError
from jobs.pretrained import Pretrained
from udfs import scripts, wordlists

TEXT = "text"
_TAG = "</?[a-zA-Z][^<>]{0,200}>"
"""Markup goes before sentences are counted; bounded, for Java's regular expressions know no linear time."""
_RANGES = "".join(f"{chr(a)}-{chr(b)}" for ranges in scripts.UNSPACED.values() for a, b in ranges)
_UNSPACED = re.compile(f"[{_RANGES}]")
_LITERAL, _BETWEEN = "phrase", "\n"
"""What RegexMatcher calls all of its matches, and what stands between a rule and that: in no term, a line each."""
_ROW = "winnow_row"
_KINDS = {"language": "language", "names": "chunk", "toxicity": "category"}
"""The type of annotation that each model must end in."""
_PEOPLE = ("PER", "PERSON")
"""What models of names call people."""


class Phrases(NamedTuple):
    """Terms of the keyword lists: the categories of each, and the roles that a category is limited to, if it is."""

    categories: dict[str, list[str]]
    roles: dict[str, list[str]]


def read_phrases(folder: str) -> Phrases:
    """The terms of the shipped lists and of ``folder``, in lower case; patterns are left to annotate. Raises ValueError
    as :func:`udfs.wordlists.read`."""
    categories: dict[str, set[str]] = {}
    roles: dict[str, set[str] | None] = {}
    for entry in wordlists.read(folder).entries:
        if not entry.is_pattern:
            categories.setdefault(entry.written.lower(), set()).add(entry.category)
            known = roles.setdefault(entry.category, set())
            roles[entry.category] = known | set(entry.roles) if known is not None and entry.roles else None
    limits = {name: sorted(found) for name, found in roles.items() if found}
    return Phrases({term: sorted(names) for term, names in sorted(categories.items())}, limits)


def build(spark: SparkSession, terms: list[str], options: Linguistics) -> PipelineModel:
    """The pipeline, ready: column ``text`` in; ``sentence``, ``token``, ``word`` (tokens but stop words), ``ngram``,
    ``phrase`` and ``literal`` (terms found, with and without word boundaries) out. The session must have Spark NLP."""
    literal = [term for term in terms if _UNSPACED.search(term)]
    spaced = [term for term in terms if not _UNSPACED.search(term)]
    nothing = spark.createDataFrame([("",)], f"{TEXT} string")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "phrases.txt")
        path.write_text("\n".join(spaced) + "\n", encoding="utf-8")
        stages = [*_reading(), *_words(options), *_matching(path, literal)]
        return Pipeline(stages=stages).fit(nothing)


def add_labels(rows: DataFrame, model: Pretrained) -> DataFrame:
    """The rows with what a pretrained model makes of their ``text``, as the array column ``model.name``: of names those
    of people. Raises :class:`UsageError`, before a row is read, for a model that makes another kind of annotation."""
    # The model's stages name columns as they please: ours are out of their way.
    found = _load(model).transform(rows.select(F.struct(*rows.columns).alias(_ROW), TEXT))
    kind, wanted = found.schema[model.column].metadata.get("annotatorType"), _KINDS[model.name]
    if kind != wanted:
        place = f"linguistics.models.{model.name}: {model.folder}"
        raise UsageError(f"{place} ends in annotations of type {kind}: expected {wanted}")
    labels = F.col(model.column)
    if wanted == _KINDS["names"]:
        labels = F.filter(labels, lambda one: F.coalesce(one["metadata"]["entity"].isin(*_PEOPLE), F.lit(False)))
    return found.select(f"{_ROW}.*", labels["result"].alias(model.name))


def _load(model: Pretrained) -> PipelineModel:
    from sparknlp.annotator import LanguageDetectorDL
    from sparknlp.base import DocumentAssembler

    if model.is_pipeline:
        return PipelineModel.load(model.folder)
    document = DocumentAssembler().setInputCol(TEXT).setOutputCol("document")
    return PipelineModel([document, LanguageDetectorDL.load(model.folder).setInputCols(["document"])])


def _reading() -> list[Any]:
    from sparknlp.annotator import DocumentNormalizer, SentenceDetector
    from sparknlp.base import DocumentAssembler

    cleaned = DocumentNormalizer().setInputCols(["raw"]).setOutputCol("document").setAction("clean")
    return [
        DocumentAssembler().setInputCol(TEXT).setOutputCol("raw"),
        cleaned.setPatterns([_TAG]).setReplacement(" ").setPolicy("all"),
        SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
    ]


def _words(options: Linguistics) -> list[Any]:
    from sparknlp.annotator import NGramGenerator, StopWordsCleaner, Tokenizer

    stopping = [word for name in options.stop_words for word in StopWordsRemover.loadDefaultStopWords(name)]
    words = StopWordsCleaner().setInputCols(["token"]).setOutputCol("word").setCaseSensitive(False)
    return [
        Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
        words.setStopWords(stopping),
        NGramGenerator().setInputCols(["token"]).setOutputCol("ngram").setN(options.ngram),
    ]


def _matching(phrases: Path, literal: list[str]) -> list[Any]:
    """TextMatcher goes by tokens, so it misses terms inside text without spaces: those are RegexMatcher's, quoted."""
    from sparknlp.annotator import RegexMatcher, TextMatcher

    found = TextMatcher().setInputCols(["sentence", "token"]).setOutputCol("phrase").setCaseSensitive(False)
    rules = [f"(?iu){'|'.join(map(_quoted, literal)) or '(?!)'}{_BETWEEN}{_LITERAL}"]
    exact = RegexMatcher().setInputCols(["document"]).setOutputCol("literal").setStrategy("MATCH_ALL")
    return [found.setEntities(phrases.as_uri()), exact.setDelimiter(_BETWEEN).setRules(rules)]


def _quoted(term: str) -> str:
    return "\\Q" + term.replace("\\E", "\\E\\\\E\\Q") + "\\E"
