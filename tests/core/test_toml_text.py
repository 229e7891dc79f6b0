"""Files of settings from outside cost no more time than their size tells: keys of very many parts are refused before they are parsed."""

from __future__ import annotations

import time

import pytest

from viewer.core.toml_text import parsed_toml


@pytest.mark.parametrize("part", [b"a", b"1", b"1a1", b'"1"', b'","', b"'.'", b"a ", b"\t1"])
@pytest.mark.parametrize("form", [b"%s=1\n", b"x={%s=1}\n", b"[%s]\n", b"[[%s]]\n"])
def test_keys_of_very_many_parts_are_refused_before_they_are_parsed(part: bytes, form: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match="too many parts"):
        parsed_toml(form % b".".join([part] * 20_000))
    assert time.process_time() - began < 1.5  # 3 s and more when parsed


def test_what_cards_hold_goes_through() -> None:
    content = b'a.b.c = 1\nuid = "1.2.840.10008.5.1.4.1.1.1.1"\nmean = [%s]\nnote = """%s"""\n' % (b"0.25, " * 5000, b"One. Two, 3.5 ... " * 300)
    found = parsed_toml(content)
    assert found["a"] == {"b": {"c": 1}} and len(found["mean"]) == 5000 and found["uid"].endswith("1.1.1")


def test_a_mebibyte_of_one_word_is_looked_through_at_once() -> None:
    assert parsed_toml(b'x = "' + b"a" * (1 << 20) + b'"') == {"x": "a" * (1 << 20)}
