"""Which languages does the sample speak, and how much of each?"""

from jobs.sample.arabic import ARABIC
from jobs.sample.chinese import CHINESE
from jobs.sample.english import ENGLISH
from jobs.sample.french import FRENCH
from jobs.sample.german import GERMAN
from jobs.sample.grammar import Language
from jobs.sample.hindi import HINDI
from jobs.sample.russian import RUSSIAN
from jobs.sample.spanish import SPANISH

SHARES: dict[str, tuple[Language, float]] = {
    "English": (ENGLISH, 0.60),
    "Spanish": (SPANISH, 0.08),
    "German": (GERMAN, 0.07),
    "Chinese": (CHINESE, 0.07),
    "French": (FRENCH, 0.06),
    "Russian": (RUSSIAN, 0.06),
    "Arabic": (ARABIC, 0.03),
    "Hindi": (HINDI, 0.03),
}
"""Eight languages in five scripts (Latin, Cyrillic, Han, Arabic, Devanagari), and their shares of the conversations."""
