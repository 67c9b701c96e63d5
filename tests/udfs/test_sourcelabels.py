import pytest

from udfs import language, sourcelabels, spelling


@pytest.mark.parametrize(
    ("label", "code"),
    [("English", "en"), ("en", "en"), ("pt-BR", "pt"), ("zh_CN", "zh"), ("nb", "no"), ("Norwegian", "no"), ("", "und"),
     ("unknown", "und"), (None, "und"), ("Klingon", "und"), (" FRENCH ", "fr")],
)  # fmt: skip
def test_a_label_is_read_as_the_code_it_stands_for(label, code):
    assert sourcelabels.code(label) == code


def test_a_source_can_name_every_language_that_we_can():
    ours = set(language.OWNERS.values()) | set(spelling.model().codes)
    assert ours <= sourcelabels.CODES


def test_conversations_without_a_label_or_a_language_of_ours_are_not_compared():
    pairs = [("English", "en", 5), ("English", "fr", 2), ("unknown", "en", 3), ("English", "und", 7), (None, "en", 1)]
    assert sourcelabels.compare(pairs) == {"source_language": 7, "source_language_differs": 2}
    assert sourcelabels.compare([]) == {"source_language": 0, "source_language_differs": 0}
