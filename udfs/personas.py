"""Who answers in a conversation, and is it the same question that others answer? Keys of both."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from udfs import digest
from udfs.dedup import prompts

SHOWN = 200
"""Characters kept of a question and of a system prompt, to be read by a person."""


def identify(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Conversations -> the keys of their question and persona, one for one.

    In: ``conversation_id``; ``text``, the first user message; ``system``, ``character`` and ``model``, null for none.
    Out: ``conversation_id``; ``question``, 16 bytes that equal questions share (:func:`prompts.keys`: up to case,
    punctuation and spaces), null where it has no tokens; ``persona``, 32 hexadecimal digits, of the system prompt's
    tokens, the character up to case, and the model; ``character``, ``model``; ``system`` and ``text``, their first
    :data:`SHOWN` characters.
    """
    for batch in batches:
        asked, system = batch.column("text"), batch.column("system")
        character, model = batch.column("character"), batch.column("model")
        columns = {
            "conversation_id": batch.column("conversation_id"),
            "question": prompts.keys(asked),
            "persona": personas(system, character, model),
            "character": character,
            "model": model,
            "system": pc.utf8_slice_codeunits(system, 0, SHOWN),
            "text": pc.utf8_slice_codeunits(asked, 0, SHOWN),
        }
        yield pa.RecordBatch.from_pydict(columns)


def personas(system: pa.Array, character: pa.Array, model: pa.Array) -> pa.Array:
    """The persona of each row: 32 hexadecimal digits, equal where all three are. Null and empty are one."""
    named = (pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(names, ""))) for names in (character, model))
    parts = [pc.fill_null(prompts.keys(system), b""), *(names.cast(pa.binary()) for names in named)]
    return pc.utf8_slice_codeunits(digest.texts(pc.binary_join_element_wise(*parts, b"\0")), 0, 32)
