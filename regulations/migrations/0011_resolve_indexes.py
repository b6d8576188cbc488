"""What stands for a record is found by indexes, on the expressions by which names, numbers and addresses are compared.

Whoever alters one of these expressions (`models/identities.py`) makes its indexes anew in a migration; a test tells.
"""

from django.db import migrations

# As in `models/identities.py`, word for word.
LOOKS = "АаΑαВвΒβСсԁđĐЕеΕεНнҺһΗħĦІіΙιıЈјКкΚκłŁМмΜΝОоΟοøØРрΡρԛЅѕТтΤτŧŦυνԝХхΧχУуΥΖ"
LATIN = "aaaabbbbccdddeeeehhhhhhhiiiiijjkkkkllmmmnooooooppppqssttttttuvwxxxxyyyz"
FORMS = (
    "ab|ag|aps|as|bv|co|company|corp|corporation|eood|fzco|fze|gmbh|inc|incorporated|kft|kk|limited|llc|l"
    "lp|lp|ltd|nv|oo|ou|oy|plc|private|pte|pty|pvt|sa|sarl|sas|se|spa|sro|srl|uab"
)
FOLDED = (
    r"replace(regexp_replace(btrim(regexp_replace(regexp_replace(replace(replace(replace(translate(lower(n"
    + r"ormalize(%(expressions)s, NFKD)), '"
    + LOOKS
    + r"', '"
    + LATIN
    + r"'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), '[\u0300-\u036f.''’]', '', 'g'), '[\u0001-\u002f\u003a-\u004"
    + r"0\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+', ' ', 'g')), '( ("
    + FORMS
    + r"))+$', ''), ' ', '')"
)
NUMBERED = "regexp_replace(lower(%(expressions)s), '[^a-z0-9]', '', 'g')"
PLACE = "lower(rtrim(regexp_replace(%(expressions)s, '^[a-zA-Z]+://(www\\.)?', ''), '/'))"
HOST = 'reverse(lower(substring(%(expressions)s FROM \'^[a-zA-Z]+://(?:www\\.)?([^/:?#]+)\'))) COLLATE "C"'

COMPARED = {
    "folded": (
        FOLDED,
        "jurisdiction.name jurisdiction.official_name topic.name regulator.name regulator.abbreviation organisation.name"
        " organisation.abbreviation company.name company.legal_name companyname.name person.name event.name policy.title"
        " policy.abbreviation enforcementaction.title measure.title source.title",
    ),
    "numbered": (NUMBERED, "companyidentifier.value policy.reference"),
    "place": (
        PLACE,
        "company.website regulator.website organisation.website source.url policy.official_url",
    ),
    "host": (
        HOST,
        "company.website regulator.website organisation.website",
    ),
}


def index(name, template, column):
    table, _, field = column.partition(".")
    index_name = f"{table}_{field}_{name}"
    expression = template % {"expressions": f'"{field}"'}
    return migrations.RunSQL(
        f"CREATE INDEX {index_name} ON regulations_{table} (({expression}))", f"DROP INDEX {index_name}"
    )


class Migration(migrations.Migration):
    dependencies = [("regulations", "0010_policy_facets")]

    operations = [
        index(name, template, column)
        for name, (template, columns) in COMPARED.items()
        for column in columns.split()
    ]
