"""A whole extract of ESMA's CASP register, made up in its own form: clean, and large enough for shares to tell."""

import csv
import io

from regulations.importers.esma import tables

LEGAL_FORMS = ["GmbH", "AG", "S.A.", "Limited", "UAB", "B.V."]
STATES = [
    ("AT", "Austrian Financial Market Authority (FMA)", "Wien"),
    ("DE", "Federal Financial Supervisory Authority (BaFin)", "Berlin"),
    ("FR", "Autorité des Marchés Financiers (AMF)", "Paris"),
    ("NL", "Netherlands Authority for the Financial Markets (AFM)", "Amsterdam"),
    ("MT", "Malta Financial Services Authority (MFSA)", "Sliema"),
]
WORDS = [
    "Alder",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elder",
    "Fir",
    "Gorse",
    "Hazel",
    "Ivy",
    "Juniper",
    "Larch",
    "Maple",
    "Oak",
    "Pine",
    "Rowan",
    "Spruce",
    "Thorn",
    "Willow",
]


def lei(number):
    """A LEI with right check digits (ISO/IEC 7064, MOD 97-10)."""
    body = f"9695{number:014d}"
    value = int("".join(str(int(letter, 36)) for letter in f"{body}00"))
    return f"{body}{98 - value % 97:02d}"


def rows(count, columns):
    """So many rows as dictionaries by column; each firm has a name, a brand, a street and a site of its own."""
    return [dict.fromkeys(columns, "") | _row(number) for number in range(count)]


def _row(number):
    state, authority, town = STATES[number % len(STATES)]
    brand = f"{WORDS[number % len(WORDS)]} {WORDS[(number * 7 + 3) % len(WORDS)]} {number}"
    site = f"https://www.{brand.lower().replace(' ', '-')}.example.com"
    services = tables.services()
    offered = [services[(number + step) % len(services)] for step in range(1 + number % 4)]
    month = number % 11 + 1
    return {
        "ae_competentAuthority": authority,
        "ae_homeMemberState": state,
        "ae_lei_name": f"{brand} Digital {LEGAL_FORMS[number % len(LEGAL_FORMS)]}",
        "ae_lei": lei(number),
        "ae_lei_cou_code": state,
        "ae_commercial_name": brand,
        "ae_address": f"Long Street {number + 1}, 10{number:02d} {town}",
        "ae_website": site,
        "ae_website_platform": site if number % 9 == 0 else "",
        "ac_authorisationNotificationDate": f"{number % 28 + 1:02d}/{month:02d}/2025",
        "ac_authorisationEndDate": "31/12/2025" if number % 20 == 7 else "",
        "ac_serviceCode": " | ".join(f"{each.letter}. {each.phrase}" for each in offered),
        "ac_serviceCode_cou": "|".join(other for other, _, _ in STATES[: 1 + number % 4]),
        "ac_comments": "Passport notified." if number % 13 == 5 else "",
        "ac_lastupdate": f"{number % 28 + 1:02d}/{month + 1:02d}/2025",
    }


def as_file(made, columns, encoding="utf-8-sig"):
    """The rows as the register publishes them: UTF-8 with a mark at its beginning, and CRLF."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(made)
    return text.getvalue().encode(encoding)
