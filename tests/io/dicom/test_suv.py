"""SUV by body weight from the header: right in every variant, refused with a reason in all others (CONVENTIONS D22 to D27)."""

from __future__ import annotations

import time
from copy import deepcopy
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from viewer.io.dicom import suv

WEIGHT_KG, DOSE_BQ, HALF_LIFE_S = 70.0, 370e6, 6586.2


def pet(**changes: object) -> Dataset:
    """A whole-body PET scanned an hour after the injection; None leaves an element out."""
    drug = {"RadiopharmaceuticalStartDateTime": "20240310100000", "RadionuclideTotalDose": DOSE_BQ, "RadionuclideHalfLife": HALF_LIFE_S}
    values = {
        "Units": "BQML", "DecayCorrection": "START", "CorrectedImage": ["DECY", "ATTN", "SCAT"], "PatientWeight": WEIGHT_KG,
        "SeriesDate": "20240310", "SeriesTime": "110000.00", "AcquisitionDate": "20240310", "AcquisitionTime": "110000.00",
    }  # fmt: skip
    drug |= {k: changes.pop(k) for k in list(changes) if k.startswith("Radio")}
    item, dataset = Dataset(), Dataset()
    for target, found in ((item, drug), (dataset, values | changes)):
        for keyword, value in found.items():
            if value is not None:
                setattr(target, keyword, value)
    dataset.RadiopharmaceuticalInformationSequence = Sequence([item])
    return dataset


def private(dataset: Dataset, group: int, creator: str, **elements: object) -> Dataset:
    block = dataset.private_block(group, creator, create=True)
    for name, value in elements.items():
        block.add_new(int(name[1:], 16), "DT" if isinstance(value, str) else "DS", value)
    return dataset


def enhanced() -> Dataset:
    dataset = pet(
        Units=None, DecayCorrection=None, CorrectedImage=None, RadionuclideTotalDose=DOSE_BQ / 1e6, SOPClassUID=suv.ENHANCED_PET,
        DecayCorrected="YES", AttenuationCorrected="YES", DecayCorrectionDateTime="20240310110000",
    )  # fmt: skip
    code, mapping, shared = Dataset(), Dataset(), Dataset()
    code.CodeValue = "Bq/ml"
    mapping.MeasurementUnitsCodeSequence, shared.RealWorldValueMappingSequence = Sequence([code]), Sequence([mapping])
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    return dataset


NIGHT = {"SeriesDate": "20240311", "SeriesTime": "003000", "AcquisitionDate": "20240311", "AcquisitionTime": "003000"}
LATE = {"SeriesDate": "20240310", "SeriesTime": "150000"}
VARIANTS: dict[str, tuple[Dataset, float]] = {
    "start, injection with its date": (pet(), 3600),
    "start, time of the injection only": (pet(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="100000.00"), 3600),
    "start past midnight, with the date": (pet(RadiopharmaceuticalStartDateTime="20240310233000", **NIGHT), 3600),
    "start past midnight, time only": (pet(RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime="233000", **NIGHT), 3600),
    "admin": (pet(DecayCorrection="ADMIN"), 0),
    "series made later, GE scan time": (private(pet(**LATE), 0x0009, "GEMS_PETD_01", t0D="20240310110000.00"), 3600),
    "series made later, earliest acquisition": (pet(**LATE), 3600),
    "enhanced, dose in MBq": (enhanced(), 3600),
    "offsets from UTC": (pet(RadiopharmaceuticalStartDateTime="20240310090000+0100", TimezoneOffsetFromUTC="+0200"), 3600),
    "offset without the clock's own": (pet(RadiopharmaceuticalStartDateTime="20240310100000.000-0500"), 3600),
}


@pytest.fixture(params=["UTC", "Asia/Shanghai", "America/St_Johns", "Pacific/Chatham", "Europe/Berlin"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("name", VARIANTS)
def test_d23_a_uniform_phantom_has_an_suv_of_one_in_every_variant_and_time_zone(name: str) -> None:
    dataset, seconds = VARIANTS[name]
    activity = DOSE_BQ * 2 ** (-seconds / HALF_LIFE_S) / (WEIGHT_KG * 1000)
    found = suv.suv_factor([dataset])
    assert isinstance(found, suv.Suv), found
    assert activity * found.factor == pytest.approx(1.0, rel=1e-9)
    assert found.is_estimate == ("earliest" in name)


def test_d27_test_vector() -> None:
    found = suv.suv_factor([pet()])
    assert isinstance(found, suv.Suv)
    assert 5000 * found.factor == pytest.approx(1.3817, abs=5e-5)
    assert WEIGHT_KG * 1000 / found.factor == pytest.approx(253_314_180, rel=2e-8)
    assert "70 kg" in found.how
    assert "370 MBq" in found.how


def test_d22_counts_of_philips_by_its_own_factor_or_through_activity() -> None:
    counts = pet(Units="CNTS", PatientWeight=None)
    assert suv.suv_factor([private(counts, 0x7053, "Philips PET Private Group", t00="0.000123")]).factor == 0.000123
    both = private(pet(Units="CNTS"), 0x7053, "Philips PET Private Group", t09="2.5")
    assert suv.suv_factor([both]).factor == pytest.approx(2.5 * suv.suv_factor([pet()]).factor, rel=1e-12)


def test_d22_values_in_gml_are_suv_already_of_the_type_that_is_said() -> None:
    assert suv.suv_factor([pet(Units="GML")]).factor == 1.0
    assert suv.suv_factor([pet(Units="GML", SUVType="BW", PatientWeight=None)]).factor == 1.0
    lean = suv.suv_factor([pet(Units="GML", SUVType="LBM")])
    assert isinstance(lean, suv.NoSuv)
    assert "LBM" in lean.reason


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"PatientWeight": None}, "weight"),
        ({"PatientWeight": 0}, "weight"),
        ({"RadionuclideTotalDose": None}, "dose is missing"),
        ({"RadionuclideTotalDose": 370}, "unit"),  # MBq in a classic object
        ({"RadionuclideTotalDose": 370e9}, "unit"),
        ({"RadionuclideHalfLife": None}, "half-life"),
        ({"RadiopharmaceuticalStartDateTime": None}, "time of the injection"),
        ({"RadiopharmaceuticalStartDateTime": "20240310120000"}, "-1.0 h"),
        ({"RadiopharmaceuticalStartDateTime": "20240308100000"}, "49.0 h"),
        ({"DecayCorrection": "NONE"}, "not corrected for decay"),
        ({"DecayCorrection": None}, "to which time"),
        ({"CorrectedImage": ["DECY"]}, "ATTN"),
        ({"CorrectedImage": ["ATTN"]}, "DECY"),
        ({"CorrectedImage": None}, "ATTN"),
        ({"AcquisitionTime": None}, "acquisition"),
        ({"Units": "PROPCNTS"}, "PROPCNTS"),
        ({"Units": "CNTS"}, "CNTS"),
        ({"Units": None}, "none"),
    ],
)
def test_d27_what_is_missing_is_never_assumed(changes: dict, word: str) -> None:
    found = suv.suv_factor([pet(**changes)])
    assert isinstance(found, suv.NoSuv)
    assert word in found.reason


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"PatientWeight": 71}, "weight"),
        ({"RadionuclideTotalDose": 371e6}, "dose"),
        ({"RadiopharmaceuticalStartDateTime": "20240310100100"}, "injection"),
        ({"SeriesTime": "110100"}, "series"),
        ({"Units": "CNTS"}, "units"),
        ({"DecayCorrection": "ADMIN"}, "decay correction"),
    ],
)
def test_d23_files_that_disagree_have_no_suv(changes: dict, word: str) -> None:
    found = suv.suv_factor([pet(), pet(**changes)])
    assert isinstance(found, suv.NoSuv)
    assert word in found.reason


def test_d24_the_earliest_bed_position_counts_not_the_first_file() -> None:
    beds = [pet(AcquisitionTime=clock, **LATE) for clock in ("120000", "110000", "113000")]
    assert suv.suv_factor(beds).factor == pytest.approx(suv.suv_factor([pet()]).factor, rel=1e-12)
    assert suv.suv_factor(beds).is_estimate


def test_d24_a_series_time_cut_to_whole_seconds_is_the_start() -> None:
    assert not suv.suv_factor([pet(SeriesTime="110000", AcquisitionTime="105959.40")]).is_estimate


def test_d23_two_radiopharmaceuticals_are_refused() -> None:
    dataset = pet()
    dataset.RadiopharmaceuticalInformationSequence.append(deepcopy(dataset.RadiopharmaceuticalInformationSequence[0]))
    assert "2 radiopharmaceuticals" in suv.suv_factor([dataset]).reason


def test_private_elements_count_only_under_their_creator() -> None:
    assert isinstance(suv.suv_factor([private(pet(Units="CNTS"), 0x7053, "SOMEONE ELSE", t00="0.000123")]), suv.NoSuv)


def test_d23_published_suv_of_a_real_scan(shared_data: Path) -> None:
    files = sorted((shared_data / "petctmr_sts001" / "pet_raw").iterdir())
    found = suv.suv_factor([pydicom.dcmread(f, stop_before_pixels=True) for f in files])
    assert isinstance(found, suv.Suv)
    # By hand, and from the published volume: the median of its ratio to the raw one.
    assert found.factor == pytest.approx(71e3 / (388777472.0 * 2 ** (-2711 / 6588.0)), rel=1e-12)
    assert found.factor == pytest.approx(0.00024290295316686464, rel=1.1e-7)
