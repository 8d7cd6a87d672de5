"""Released migrations stay as they are: a database that has one would not get the change."""

from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[3]
# What `sha256sum` says of each. A new migration gets its line here when it lands.
RELEASED = {
    "intake/migrations/keys/versions/0001_keys.py": (
        "c57a9625836babea773fe2f68575677975155b6f89382f2ef980faa7db282405"
    ),
    "intake/migrations/versions/0001_referrals.py": (
        "030c157a699c88fb0b0d8fe934059333c705f28fab0676cdae97ca16a1296747"
    ),
    "intake/migrations/versions/0002_pipeline.py": (
        "ddd555d9cfa88f24f9de42c65a470e488ce70f04cbb9d1d01fabe8ce9215f138"
    ),
    "intake/migrations/versions/0003_held.py": (
        "fe0dbf3afeb5af750c775ecfb313537969aa0b9d42c07e63cd657783f72101ab"
    ),
    "notifications/migrations/versions/0001_deliveries.py": (
        "22cb010074344ff0628777614202979c1a619dc8c4d6b205b4d9c00c6cdb8bac"
    ),
    "notifications/migrations/versions/0002_pipeline.py": (
        "88ffde0107e98e913d784d097d99d4542760f3556b0f5b699f6ba90f474d356a"
    ),
    "notifications/migrations/versions/0003_held.py": (
        "02bf8d7993a54cc89a40a4419c1c07d79d7536f1917268ce4516753fe038e393"
    ),
    "routing/migrations/versions/0001_first.py": (
        "423b41793988fa4e8756d5777dad8165666ed805c050d3d825a718684a98aa23"
    ),
    "routing/migrations/versions/0001_first.sql": (
        "f933eafaba9f9da19e5cac7b08411dc81aded897838389537d935c561aca0433"
    ),
    "routing/migrations/versions/0002_pipeline.py": (
        "5e6bdd919dc109b6e632219bf96f77e063517e5fc7405b6fdb680365ab213977"
    ),
    "routing/migrations/versions/0003_clocks.py": (
        "acc869d563dfa0f36745eb81957c0bd54409513a378bccfbebdd695f92c4be83"
    ),
    "shared/db/base_0001.sql": (
        "922bf320ca17d08a49ff118650cb8fac9c63f1bfd95ffb97bad5b60417a1d460"
    ),
    "shared/db/base_0002.sql": (
        "02c4bfa6d2d822a54990895fb7f221eb52b7f74cf6b2cf12ec51f90c1a235daa"
    ),
    "shared/db/base_0003.sql": (
        "3cf94d23f6df845d6dd21ee8f0bb8080f7d5a96423f6a4bcf029f9c98d42fd3e"
    ),
    "shared/db/grants_0001.sql": (
        "7752831ca1b4d690f3db4417ed1287312a020708e9f020af6f7935e9cd8882f0"
    ),
    "shared/db/grants_0002.sql": (
        "74d1c04a60b1947a99065d23d20e6bb5c1825a3e64e1779999df63fe501f40ad"
    ),
}


def test_a_released_migration_never_changes() -> None:
    changed = [
        name
        for name, expected in RELEASED.items()
        if sha256((ROOT / name).read_bytes()).hexdigest() != expected
    ]

    assert not changed, (
        f"{', '.join(changed)} may be in people's databases already."
        " Put it back as it was, and write a new migration instead."
    )


def test_every_migration_is_held() -> None:
    found = {
        str(path.relative_to(ROOT))
        for pattern in ("*/migrations/**/versions/[0-9]*", "shared/db/*.sql")
        for path in ROOT.glob(pattern)
    }

    assert found == set(RELEASED)
