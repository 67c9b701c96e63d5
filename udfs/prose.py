"""What of a message is running text: everything but code, links, formulas, markup and placeholders.

Three patterns, all RE2, so that any text takes linear time. What is code is a guess, and errs towards prose.
"""

import pyarrow as pa
import pyarrow.compute as pc

NO_PROSE = (
    r"(?s)```.*?(?:```|\z)|`[^`\n]+`"  # code
    r"|https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+"  # links, mail addresses
    r"|\$\$.*?\$\$|\\\[.*?\\\]|\\\(.*?\\\)"  # formulas
    r"|</?[a-zA-Z|][^<>\n]{0,200}>|\bNAME_\d+|\\[nrt]"  # markup, model tokens, placeholders, escapes
    r"|[\x00-\x08\x0b-\x1f\x7f-\x{9f}\x{ad}\x{feff}\x{fdd0}-\x{fdef}\x{fff9}-\x{ffff}]"  # CLD2 refuses these
)
CODE_LINE = (
    r"(?m)^[ \t]*(?:"
    r"import [\w.{}*]+(?:(?: as|,) [\w.{}*]+)*|from [\w.]+ import\b.*|(?:async )?def \w+.*"
    r"|(?:export|public|private|static|const) .*[;{(=,]"
    r"|class \w+.*[:{]|(?:if|elif|while) (?:not )?[\w.()\[\]]+(?: (?:in|is|and|or|not|[<>=!%+]+) .*)?:"
    r"|for \w+(?:, \w+)* in .*:|with .* as \w+:|except(?: [\w.]+)?(?: as \w+)?:|(?:else|try|finally):"
    r"|pass|break|return(?: \S+)?|(?:pip|npm|yarn) (?:install|run|build).*|(?:mkdir|cd|curl) +[-~./\w]+"
    r"|#include.*|#!.*|// .*|/\*.*|@\w+.*|\"\"\".*|###+|--\w.*|\$ .*|>>> .*"
    r"|[\w.\[\]'\"]+(?:, ?[\w.]+)*(?:: ?[\w\[\], .|]+)? ?[-+*/|]?=.*"  # an assignment
    r"|(?:await |print|return |yield )?[\w.\]]*\w\(.*\).{0,3}|[\w.]+\("  # a call
    r"|[\w\"'.-]+[:=][ \t]*[\w\"'.{}\[\]/:-]*,?"  # an entry
    r"|[\])}>]+[;,)]*.*|</?\w.*"
    r"|[ -~]*[;{}\[(\\]|[ -~]*(?: == |=>|->|\+=|!=|&&|\|\||\w::\w|\w=[\"'{]|</|/>).*"
    r")[ \t]*$"
    r"|(?m)^(?:    |\t)[ \t]*[^\s*+•\d-].*[_{}()=\[\]<>;\"].*$"
)
"""Lines that read as code outside a fence: a statement's shape, not a language's keywords in running text."""

CODE_NAME = r"[A-Za-z0-9]+_\w+|\b[a-z]+[A-Z]\w*"
"""Names that only code has, in lines that do not read as code."""


def keep(texts: pa.Array) -> pa.Array:
    """The texts without what is not running text; a null is an empty text."""
    texts = pc.replace_substring_regex(pc.fill_null(texts, ""), NO_PROSE, " ")
    texts = pc.replace_substring_regex(texts, CODE_LINE, "")
    return pc.replace_substring_regex(texts, CODE_NAME, " ")
