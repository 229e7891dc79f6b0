"""The age that a model is told: the file's own, else from two dates, else none."""

from __future__ import annotations

import pytest

from viewer.core.volume import Identity


@pytest.mark.parametrize(
    ("given", "born", "seen", "age"),
    [
        ("045Y", "1900-01-01", "2000-01-01", "045Y"),
        ("", "1940-03-05", "2004-08-26", "064Y"),
        ("", "1940-08-27", "2004-08-26", "063Y"),
        ("", "2003-01-31", "2004-08-26", "018M"),
        ("", "2004-08-27", "2004-08-26", ""),
        ("", "", "2004-08-26", ""),
        ("", "about 1940", "2004-08-26", ""),
        ("", "1700-01-01", "2004-08-26", ""),
        ("64", "1940-03-05", "2004-08-26", "064Y"),
        ("64", "", "2004-08-26", "64"),
    ],
)
def test_age_comes_from_the_file_or_from_the_dates(given: str, born: str, seen: str, age: str) -> None:
    assert Identity(patient_age=given, patient_birth_date=born, study_date=seen).age == age
