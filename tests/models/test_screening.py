"""When web domains are the same, and when they only look alike."""

import pytest

from regulations.models.screening import (
    Likeness,
    NotADomainError,
    distance,
    domain_likeness,
    is_near,
    registered_domain,
)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.Kraken.com/x", "kraken.com"),
        ("m.htxcoin-az.com", "htxcoin-az.com"),
        ("shop.bank.co.uk", "bank.co.uk"),
        ("a.foo.blogspot.com", "foo.blogspot.com"),
        ("BÜCHER.de", "xn--bcher-kva.de"),
    ],
)
def test_registered_domain_is_what_somebody_registered(text, domain):
    assert registered_domain(text) == domain


@pytest.mark.parametrize(
    "text", ["", " ", "co.uk", "1.2.3.4", "http://[::1]/", "a@b.com", "a" * 254 + ".com", "xn--a.com", "kraken"]
)
def test_what_is_no_domain_is_refused(text):
    with pytest.raises(NotADomainError):
        registered_domain(text)


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ("kraken.com", None),
        ("kraken-pro.xyz", None),
        ("xn--krken-5ve.com", Likeness.LETTERS),
        ("kraken.net", Likeness.SUFFIX),
        ("kracken.com", Likeness.EDITS),
    ],
)
def test_likeness_to_kraken(listed, reason):
    assert domain_likeness("kraken.com", listed) == reason


def test_edits_are_bounded_by_length():
    assert not is_near("abcde", "abcdf")
    assert is_near("abcdef", "abcdeg")
    assert not is_near("abcdefgh", "abcdefxy")
    assert is_near("abcdefghi", "abcdefgxy")
    assert distance("kitten", "sitting") == 3
