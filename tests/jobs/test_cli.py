"""The command line itself: what its options mean, and where it prints."""

from jobs import cli


def test_a_path_of_any_letters_can_be_given_by_an_option() -> None:
    options = ["--against", "/data/😀 漢/lake#first", "--keywords", '/data/a "b"\\c']
    settings = cli._settings(cli._parser().parse_args(["publish", "--lake", "lake", *options]))
    assert settings.dedup.against == "/data/😀 漢/lake#first"
    assert settings.rules.keywords.folder == '/data/a "b"\\c'
