"""Did the serving stack fail: an answer that is its notice, or one that was cut off?

All patterns are RE2, and look only at the beginning or the end of an answer.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.batch import Batch, Limits, any_of

NOTICE_LENGTH = 400
"""Characters of the longest answer that is taken for a notice; a longer one speaks about errors."""
TAIL = 400
"""Characters at the end of an answer that tell whether it was cut off."""

_SUBJECT = (
    r"(?:the|that|this|our|your)?\s?(?:ai |language )?(?:server|model|engine|service|system|api|gateway|backend)s?"
)
NOTICE = (
    r"(?i)^[\s*_#>\"'`({\[⚠️❌$]*(?:(?:error|oops|sorry|hmm|uh oh|moderation|warning)\W{0,4}\s?|\w{3,9}error:\s?)?(?:"
    r"network error(?:\W*$|[.:!,]| due| has| occur| while)"
    r"|\w* ?your (?:input|prompt|message|request)(?: text)? (?:violates|was (?:flagged|blocked)|has been flagged)"
    r"|(?:this|the) (?:content|conversation|prompt|response|request|message) (?:may violate|violates|was flagged"
    r"|was filtered|has been (?:filtered|blocked|flagged|removed)|was blocked|is blocked)"
    r"|(?:content|response|output|prompt|message) (?:filtered|blocked|flagged|removed|moderated)\b"
    r"|(?:http )?error[_ ]code\b|rate limit (?:reached|exceeded)"
    r"|you(?:'ve| have)? (?:exceeded your current quota|been rate)"
    r"|this model's maximum context length|(?:maximum )?context length exceeded|conversation reached the limit"
    rf"|{_SUBJECT} (?:is|are|was|had|has) (?:currently |temporarily |been )*(?:overloaded|unavailable|busy|down"
    r"|not available|an error|returned an|experiencing|under heavy|at capacity)"
    r"|upstream connect error|something went wrong"
    r"|an? (?:internal |unexpected |unknown )?(?:server )?error (?:has )?occur"
    r"|there was an error (?:generating|while|processing|in the)|error (?:in message stream|generating|communicating)"
    r"|(?:no|empty) response (?:from|was|received)|failed to (?:get|generate|fetch) (?:a |the )?response"
    r"|internal server error|bad gateway|gateway time-?out|service (?:temporarily )?unavailable|too many requests"
    r"|request (?:timed out|failed|rejected)|(?:connection|read) timed out"
    r"|openai api error|api (?:request error|rejected)"
    r"|\{?\"?error\"?: ?[{\"]|<!doctype html>\s*<html[^>]*>\s*<head>\s*<title>[45]\d\d"
    r"|服务器?(?:繁忙|错误|异常|出错)|网络(?:错误|异常|超时|连接失败)|请求(?:超时|失败)|系统(?:繁忙|错误)"
    r"|(?:该|此|您的)(?:内容|问题)(?:可能)?违"
    r"|サーバーエラー|ネットワークエラー|エラーが発生しました"
    r"|(?:서버|네트워크) ?오류|오류가 발생했습니다|ошибка (?:сети|сервера)"
    r")"
)
"""How an answer begins that is a notice of the serving stack."""
NOTICE_AT_END = (
    r"NETWORK ERROR DUE TO HIGH TRAFFIC\. PLEASE REGENERATE OR REFRESH THIS PAGE\W*(?:\(error_code: \d+\))?\W*$"
    r"|\(error_code: \d{3,6}\)\W*$|(?:^|\n)\W*(?:error in message stream|network error)\W*$"
)
"""How one ends that the stack broke off with a notice."""

_FENCE = r"(?m)^[ \t>]*```"
_FUNCTION_WORDS = (
    "the|a|an|of|and|or|to|in|with|for|by|from|at|as|that|which|is|are|was|were|be|their|its|your|our|my|his|into|than"
    "|when|because|if|but|this|these|such|can|will|should|would|has|have|not"
    "|der|die|das|und|oder|mit|für|von|zu|den|dem|ein|eine|einer|eines|einen|ist|sind|dass|auf|im|zur|zum"
    "|le|la|les|des|du|de|et|ou|un|une|pour|avec|dans|qui|que|est|sont|sur|aux|au"
    "|el|los|las|del|y|o|una|con|para|por|en|es|son|su|sus|al|um|uma|os|da|do|dos|das|em|no|na|com|il|lo|gli|di|che"
    "|и|в|на|с|по|для|что|как|или|не|из|к|от|о"
)
OPEN_END = (
    r"[\pL\pN)\"'’”](?: ?[,;(\[{/&=+]| [-–—*])$"  # after a comma, a bracket
    r"|\n[ \t]*(?:\d{1,2}[.)]|[-*•])$"  # after a bare list mark
    rf"|(?i:[\pL\d,).!?] (?:{_FUNCTION_WORDS})$)"
    r"|、$|，$|；$"
)
"""An end after which something must follow."""
MID_SENTENCE = (
    r"\pL[.!?][\"'’”)*]*\s[\"'“‘(*]*\p{Lu}?[^\n.!?]{8,}[\pL\pN]$",  # a sentence ended in this line, another did not
    r"[。！？][^\n。！？]{4,}[\p{Han}\p{Hiragana}\p{Katakana}]$",
    r"[^\n.!?:;|`。！？]{140,}\pL$",  # or is far too long for a list item
    r"।[^\n।]{8,}\p{Devanagari}$",
)
"""Ends within a sentence: the line has whole sentences before it. Each is matched by itself: as one pattern, RE2's
automaton outgrows its memory and takes a hundred times as long."""
NO_TELLING = (
    r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]$"  # scripts without a full stop
    r"|[다요죠까음함됨임네지오]$"  # Korean endings, often without one
    r"|https?://\S+$|\S@\S+$|\|$|```$|\$\$?$"
    r"|(?i:(?:regards|sincerely|yours|wishes|love|cheers|best|thanks|truly|grüße|grüßen|cordialement|atentamente"
    r"|saludos),?\s+[^\n]{0,60}$)"
)
"""Ends that tell nothing: no full stop is due there."""


def serving_error(batch: Batch, _: Limits) -> np.ndarray:
    """An answer is a notice of the serving stack (network, quota, moderation ...) or breaks off with one.

    An answer that merely mentions such a notice is none.
    """
    answers = np.flatnonzero(batch.is_by("assistant"))
    texts = batch.contents.take(pa.array(answers))
    short = np.flatnonzero(batch.lengths[answers] <= NOTICE_LENGTH)
    found = np.asarray(pc.match_substring_regex(_tails(texts), NOTICE_AT_END), bool)
    found[short] |= np.asarray(pc.match_substring_regex(texts.take(pa.array(short)), NOTICE), bool)
    flags = np.zeros(len(batch.lengths), bool)
    flags[answers[found]] = True
    return any_of(flags, batch.offsets)


def unfinished_answer(batch: Batch, limits: Limits) -> np.ndarray:
    """The last message is an answer that breaks off: in a code block, after a comma or an article, or in the middle of
    a sentence where whole ones came before it in the line.

    An answer below ``min_unfinished_characters`` needs no full stop, nor does one in a script without any (Thai ...).
    """
    rows = np.flatnonzero(np.diff(batch.offsets) > 0)
    lasts = batch.offsets[rows + 1] - 1
    is_long = (batch.lengths[lasts] >= limits.min_unfinished_characters) & batch.is_by("assistant")[lasts]
    rows, lasts = rows[is_long], lasts[is_long]
    texts = pc.utf8_rtrim_whitespace(batch.contents.take(pa.array(lasts)))
    flags = np.zeros(len(batch.offsets) - 1, bool)
    flags[rows] = _is_cut(texts)
    return flags


def _is_cut(texts: pa.Array) -> np.ndarray:
    tails = _tails(texts)
    is_in_code = np.asarray(pc.count_substring_regex(texts, _FENCE)) % 2 == 1
    is_open, is_untold, *is_mid = (
        np.asarray(pc.match_substring_regex(tails, pattern), bool) for pattern in (OPEN_END, NO_TELLING, *MID_SENTENCE)
    )
    # fences shown within a fence make their number odd; a sentence that ends is no code
    is_closed = np.asarray(pc.match_substring_regex(tails, r"(?:```|[.!?。])$"), bool)
    return (is_in_code & ~is_closed) | (np.logical_or.reduce([is_open, *is_mid]) & ~is_untold)


def _tails(texts: pa.Array) -> pa.Array:
    return pc.utf8_slice_codeunits(pc.utf8_rtrim_whitespace(texts), -TAIL)
