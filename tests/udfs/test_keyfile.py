import pytest

from udfs import keyfile
from udfs.sealing import KEY_BYTES

SECRET = bytes(range(64))


@pytest.fixture
def lake(tmp_path):
    (tmp_path / "lake").mkdir()
    return tmp_path / "lake"


def _file(path, content=SECRET, mode=0o600):
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_key_that_was_made_is_read_again_and_only_its_owner_can_read_it(tmp_path, lake):
    path = tmp_path / "pii.key"
    made = keyfile.make(str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == KEY_BYTES
    assert keyfile.read(str(path), str(lake)) == made
    assert keyfile.make(str(tmp_path / "other.key")) != made


def test_a_path_may_begin_at_home(tmp_path, lake, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    made = keyfile.make("~/pii.key")
    assert (tmp_path / "pii.key").exists()
    assert keyfile.read("~/pii.key", str(lake)) == made
    with pytest.raises(ValueError, match="is inside the lake"):
        keyfile.read("~/lake/pii.key", str(lake))


def test_a_file_that_is_there_is_never_overwritten(tmp_path):
    path = _file(tmp_path / "pii.key")
    with pytest.raises(ValueError, match=r"is there already.*name a new file"):
        keyfile.make(str(path))
    assert path.read_bytes() == SECRET
    with pytest.raises(ValueError, match="No such file"):
        keyfile.make(str(tmp_path / "none" / "pii.key"))


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (SECRET[:63], 0o600, "expected 64 bytes in key file .*, found 63: `winnow make-key FILE` makes one"),
        (b"", 0o600, "found 0"),
        (SECRET + b"\n", 0o600, "found more"),
        (SECRET, 0o604, "anyone on this machine can read or change key file .*: run `chmod o= "),
        (SECRET, 0o602, "anyone on this machine"),
        (SECRET, 0o644, "anyone on this machine"),
    ],
)
def test_a_file_that_cannot_be_the_key_is_refused_and_what_it_holds_is_not_told(tmp_path, lake, content, mode, told):
    path = _file(tmp_path / "pii.key", content, mode)
    with pytest.raises(ValueError, match=told) as caught:
        keyfile.read(str(path), str(lake))
    assert "\\x01" not in str(caught.value) and "\x01" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path, lake):
    with pytest.raises(ValueError, match=r"there is no key file .*none: `winnow make-key FILE` makes one"):
        keyfile.read(str(tmp_path / "none"), str(lake))
    with pytest.raises(ValueError, match=r"cannot read key file .*: Is a directory"):
        keyfile.read(str(tmp_path), str(lake))


@pytest.mark.parametrize("uri", ["{}", "{}/", "file:{}", "file://{}"])
def test_a_key_inside_the_lake_is_refused_by_whatever_way_it_is_named(tmp_path, lake, uri, monkeypatch):
    inside = _file(lake / "pii.key")
    link = tmp_path / "link.key"
    link.symlink_to(inside)
    monkeypatch.chdir(tmp_path)
    for path in (str(inside), str(link), "lake/pii.key", str(tmp_path / "x" / ".." / "lake" / "pii.key")):
        with pytest.raises(ValueError, match=r"is inside the lake .*: move it out"):
            keyfile.read(path, uri.format(lake))


def test_beside_the_lake_and_for_a_lake_elsewhere_a_key_is_fine(tmp_path, lake):
    beside = _file(tmp_path / "lake.key", mode=0o640)
    for place in (str(lake), "s3://bucket/lake"):
        assert keyfile.read(str(beside), place).secret == SECRET
