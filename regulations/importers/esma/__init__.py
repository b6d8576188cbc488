"""The interim MiCA register of ESMA (Art. 109 and 110 MiCA): five files, one to a module.

ESMA publishes them about weekly under the same addresses, keeps no history, and says of their re-use: Reproduction is
authorised provided the source is acknowledged. What it writes for people (authorities, services, countries, words for
nothing) stands in the tables beside, each of which the rules name.
"""

PUBLISHER = "eu-esma"
LICENCE = "Reproduction is authorised provided the source is acknowledged (ESMA, legal notice)."
FREQUENCY = "about weekly"
FILES = "https://www.esma.europa.eu/sites/default/files/2024-12/"
POLICY = "eu-mica"
