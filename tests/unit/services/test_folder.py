import json
import stat
from pathlib import Path

import pytest

from services.local.folder import VERSION, Folder, Refused

ADDRESS = "http://127.0.0.1:8080"


def a_born_folder(path: Path) -> Folder:
    folder = Folder(path)
    folder.hold(ADDRESS)
    folder.begin("postgres")
    folder.release()
    return folder


def restamp(folder: Folder, **changes: object) -> None:
    file = folder.path / "warm-handoff.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_new_folder_is_stamped_as_a_demo_and_gets_its_keys(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")

    stamp = folder.stamp()
    assert stamp is not None
    assert (stamp.kind, stamp.version, stamp.bus) == ("demo", VERSION, "postgres")
    assert len(folder.agency_key.read_bytes()) == 32
    assert "d" not in json.loads(folder.ticket_public_key.read_text())


def test_only_the_owner_can_read_keys_and_stamp(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")

    files = [file for file in folder.path.rglob("*") if file.is_file() and "lock" not in file.name]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(folder.keys.stat().st_mode) == 0o700


def test_keys_and_ports_stay_the_same(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")
    keys = {file.name: file.read_bytes() for file in folder.keys.iterdir()}
    ports = folder.ports("provider", "mail")

    again = a_born_folder(tmp_path / "data")

    assert {file.name: file.read_bytes() for file in again.keys.iterdir()} == keys
    assert again.ports("provider", "mail") == ports
    assert ports["provider"] != ports["mail"]


def test_a_second_start_is_told_where_the_first_one_runs(tmp_path: Path) -> None:
    first, second = Folder(tmp_path / "data"), Folder(tmp_path / "data")
    first.hold(ADDRESS)

    with pytest.raises(Refused, match=f"already running.*{ADDRESS}"):
        second.hold("http://127.0.0.1:9090")

    first.release()
    second.hold("http://127.0.0.1:9090")
    second.release()


def test_a_start_after_a_kill_knows_that_the_last_one_was_cut_off(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")
    (folder.path / "running.lock").write_text(f"{ADDRESS} (process 1)")  # nobody holds it

    assert folder.hold(ADDRESS)
    folder.release()
    assert not folder.hold(ADDRESS)
    folder.release()


def test_a_folder_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")
    restamp(folder, version=VERSION + 1)
    before = (folder.path / "warm-handoff.json").read_bytes()

    with pytest.raises(Refused, match="newer version"):
        folder.hold(ADDRESS)

    assert (folder.path / "warm-handoff.json").read_bytes() == before


def test_a_folder_that_is_not_a_demo_is_left_alone(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")
    restamp(folder, kind="production")

    with pytest.raises(Refused, match="production"):
        folder.hold(ADDRESS)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear mother")

    with pytest.raises(Refused, match="is not empty"):
        Folder(tmp_path).hold(ADDRESS)

    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("Dear mother")

    with pytest.raises(Refused, match="is not the data folder"):
        Folder(file).hold(ADDRESS)


def test_a_stamp_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")
    (folder.path / "warm-handoff.json").write_text("{")

    with pytest.raises(Refused, match="cannot be read"):
        folder.hold(ADDRESS)


def test_a_birth_that_was_cut_off_is_finished(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")
    restamp(folder, complete=False)
    folder.agency_key.unlink()

    folder = a_born_folder(tmp_path / "data")

    assert folder.agency_key.exists()


def test_a_key_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    folder = a_born_folder(tmp_path / "data")
    folder.agency_key.unlink()

    with pytest.raises(Refused, match=r"agency-brva\.key is gone"):
        folder.begin("postgres")

    assert not folder.agency_key.exists()
