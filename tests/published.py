"""Made-up files of data.police.uk, written the way the site writes them."""

import csv
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

STREET = (
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "LSOA code",
    "LSOA name", "Crime type", "Last outcome category", "Context",
)  # fmt: skip
OUTCOMES = (*STREET[:9], "Outcome type")
NAMES = {"cleveland": "Cleveland Police", "city-of-london": "City of London Police", "gwent": "Gwent Police"}


def crime(
    crime_id: str = "",
    month: str = "2021-03",
    kind: str = "Burglary",
    *,
    force: str = "cleveland",
    area: str = "E01011954",
    area_name: str = "Hartlepool 001A",
    lon: str = "-1.235446",
    lat: str = "54.711190",
    location: str = "On or near King Oswy Drive",
) -> tuple[str, ...]:
    """Return one street row."""
    name = NAMES[force]
    return (crime_id, month, name, name, lon, lat, location, area, area_name, kind, "Under investigation", "")


def outcome(
    crime_id: str, month: str = "2021-03", wording: str = "Suspect charged", *, force: str = "cleveland"
) -> tuple[str, ...]:
    """Return one outcome row."""
    name = NAMES[force]
    return (
        crime_id,
        month,
        name,
        name,
        "-1.235446",
        "54.711190",
        "On or near A19",
        "E01011954",
        "Hartlepool 001A",
        wording,
    )


def text(rows: Sequence[Sequence[str]], *, head: Sequence[str] = STREET, end: str = "\r\n") -> bytes:
    """Return a CSV of rows under a heading, as bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end)
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue().encode()


def write(
    folder: Path,
    month: str,
    force: str,
    street: Sequence[Sequence[str]] | None = None,
    outcomes: Sequence[Sequence[str]] | None = None,
) -> None:
    """Write the files of one force and month into the site's tree; None leaves a file out."""
    place = folder / month
    place.mkdir(parents=True, exist_ok=True)
    if street is not None:
        (place / f"{month}-{force}-street.csv").write_bytes(text(street))
    if outcomes is not None:
        (place / f"{month}-{force}-outcomes.csv").write_bytes(text(outcomes, head=OUTCOMES, end="\n"))


def two_forces(folder: Path) -> Path:
    """Write a small country: Cleveland with every month, City of London with gaps; return the folder.

    Cleveland, March to May 2021: burglaries b0…b9 a month (three charged, one only a month later), calls about
    anti-social behaviour, a drugs crime twice under one identifier, a row without an area.
    City of London: no street file for April, an outcome file without rows for March, none at all for April.
    """
    months = ("2021-03", "2021-04", "2021-05")
    for number, month in enumerate(months):
        street = [
            crime(f"b{number}{i}", month, area="E01011954" if i < 6 else "E01011955") for i in range(10)
        ]
        street += [crime("", month, "Anti-social behaviour") for _ in range(4)]
        if number == 0:
            street += [crime("twice", month, "Drugs"), crime("twice", month, "Drugs")]
            street += [crime("lost", month, "Robbery", area="", area_name="", lon="", lat="")]
        ended = [outcome(f"b{number}{i}", month) for i in range(2)]
        ended += [outcome(f"b{number}{i}", month, "Unable to prosecute suspect") for i in (3, 4, 5)]
        if number:
            ended.append(outcome(f"b{number - 1}2", month))
        else:
            ended += [
                outcome("twice", month),
                outcome("lost", month, "Suspect charged as part of another case"),
            ]
        write(folder, month, "cleveland", street, ended)
    london = {"force": "city-of-london"}
    write(folder, "2021-03", "city-of-london", [crime("c1", "2021-03", "Robbery", **london)], [])
    write(
        folder,
        "2021-05",
        "city-of-london",
        [crime("c2", "2021-05", "Robbery", **london)],
        [outcome("c2", "2021-05", **london)],
    )
    return folder


def unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Write an archive's plain files under a folder and nothing outside it (some Pythons lack extraction filters)."""
    root = folder.resolve()
    for member in archive:
        target = (root / member.name).resolve()
        content = archive.extractfile(member) if member.isfile() and target.is_relative_to(root) else None
        if content is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
