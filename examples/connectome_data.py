"""The wiring of C. elegans, from a package to a table (`make connectome`), and from there.

The package `c302` of the OpenWorm project (MIT) contains the wiring of L. R. Varshney et al.
(2011), PLoS Comput. Biol. 7, e1001066, as a sheet in which each contact stands once for each of
the two neurons. It lies in an environment of its own, without the dozens of packages that it asks
for; this file needs nothing else but the reader of sheets there, and nothing at all here.
"""

import csv
import sys
from collections import Counter
from importlib.metadata import files
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / ".cache" / "connectome" / "edges.csv"
KINDS = {
    "S": "chemical",
    "Sp": "chemical",
    "EJ": "gap",
    "R": None,  # chemical synapses again, from behind
    "Rp": None,
    "NMJ": None,  # contacts with muscles
}


def edges(rows):
    """(before, behind, kind, contacts) for each pair, from rows such as ("ADAL", "AVAR", "Sp", 2).

    Gap junctions stand in both directions; those of a neuron with itself, which pass no current,
    are left out.
    """
    counts = Counter()
    for before, behind, code, contacts in rows:
        if code not in KINDS:
            raise ValueError(f"unknown kind of contact {code!r} from {before} to {behind}")
        if KINDS[code] and (code != "EJ" or before != behind):
            counts[before, behind, KINDS[code]] += contacts
    return [(*pair, count) for pair, count in sorted(counts.items())]


def write(path):
    """The table of the package's sheet."""
    from openpyxl import load_workbook

    (sheet,) = (f for f in files("c302") if f.name == "NeuronConnectFormatted.xlsx")
    book = load_workbook(sheet.locate(), read_only=True)
    _, *rows = book.active.iter_rows(values_only=True)
    found = edges(row[:4] for row in rows if row[0])
    with open(path, "w", newline="") as table:
        csv.writer(table).writerows(found)
    print(f"{len(found)} pairs of neurons: {path}")


def read(path=TABLE):
    """The edges in a table."""
    if not Path(path).exists():
        raise SystemExit(f"{path} is missing: run `make connectome`, which gets it from a package")
    with open(path, newline="") as table:
        return [(*names, int(contacts)) for *names, contacts in csv.reader(table)]


if __name__ == "__main__":
    write(*sys.argv[1:])
