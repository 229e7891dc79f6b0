"""The collector is asked for patience and is as before afterwards, whoever else asked meanwhile."""

from __future__ import annotations

import gc

import pytest

from viewer.io import collector


def test_nested_patience_ends_with_the_last():
    before = gc.get_threshold()
    with collector.patient():
        with collector.patient():
            assert gc.get_threshold()[0] > before[0]
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before


def test_it_ends_with_an_error_too():
    before = gc.get_threshold()
    with pytest.raises(KeyError), collector.patient():
        raise KeyError
    assert gc.get_threshold() == before


def test_a_collector_that_is_switched_off_stays_so():
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with collector.patient():
            assert gc.get_threshold()[0] == 0
        assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
