"""Body-weight SUV of PET from the header, or the reason why not (CONVENTIONS D22 to D27). Nothing that is missing is ever assumed.

Times are read as the local clock of the scanner, with their dates; the computer's own time zone has no say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from viewer.core.words import _, mark
from viewer.io.dicom import elements
from viewer.io.dicom.elements import Dataset

ENHANCED_PET = "1.2.840.10008.5.1.4.1.1.130"
LONGEST = timedelta(hours=24)
# Half-life of F-18 is 6586.2 s; files write 6583 to 6588.
_F18_HALF_LIFE_S = (6500.0, 6700.0)
_F18_DOSE_BQ = (1e7, 2e9)
# Nobody is given less of anything: a dose below is not in Bq.
_LEAST_DOSE_BQ = 1e4
# Series Time is often cut to whole seconds.
_SLACK = timedelta(seconds=1)
# What SUVType says of values in g/mL, and the unit that they then have.
SUV_TYPES = {"": "SUVbw", "BW": "SUVbw", "LBM": "SUVlbm", "LBMJANMA": "SUVlbm", "LBMJAMES128": "SUVlbm", "BSA": "SUVbsa", "IBW": "SUVibw"}


@dataclass(frozen=True, slots=True)
class Suv:
    """SUVbw = ``factor`` x modality value."""

    factor: float
    how: str
    """The calculation, in a sentence with its numbers."""
    is_estimate: bool = False
    """The time that the values are corrected to had to be taken from the acquisition (badge ``SUV est.``)."""


@dataclass(frozen=True, slots=True)
class NoSuv:
    """There is none, and why, in a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file says that SUV depends on; None or "" where it does not say."""

    units: str = ""
    suv_type: str = ""
    weight_kg: float | None = None
    doses_bq: tuple[float | None, ...] = ()
    """One for each radiopharmaceutical."""
    half_life_s: float | None = None
    injection: datetime | None = None
    injection_clock: str = ""
    """Only a time of day, where the file gives no date of the injection."""
    decay_correction: str = ""
    decay_reference: datetime | None = None
    """Enhanced PET says it outright."""
    corrected: tuple[str, ...] = ()
    series: datetime | None = None
    ge_scan: datetime | None = None
    philips_suv: float | None = None
    philips_activity: float | None = None
    acquisition: datetime | None = None
    """May differ from file to file; everything above may not."""


def suv_factor(datasets: Sequence[Dataset]) -> Suv | NoSuv:
    """The factor of a series from the data sets of its files."""
    return factor_of([read_facts(dataset) for dataset in datasets])


def read_facts(dataset: Dataset) -> Facts:
    """What one file says; nothing is judged yet."""
    is_enhanced = elements.text(dataset, 0x00080016) == ENHANCED_PET
    drugs = elements.items(dataset, 0x00540016)
    drug = drugs[0] if drugs else None
    zone = elements.text(dataset, 0x00080201)
    start = moment(elements.text(drug, 0x00181078), zone) if drug is not None else None
    clock = elements.text(drug, 0x00181072) if drug is not None else ""
    doses = tuple(elements.number(d, 0x00181074) for d in drugs)
    common: dict[str, Any] = {
        "suv_type": elements.text(dataset, 0x00541006),
        "weight_kg": elements.number(dataset, 0x00101030),
        # An enhanced object gives megabecquerel (C.8.22.4), a classic one becquerel (C.8.9.2).
        "doses_bq": tuple(d * 1e6 if d is not None and is_enhanced else d for d in doses),
        "half_life_s": elements.number(drug, 0x00181075) if drug is not None else None,
        "injection": start,
        "injection_clock": "" if start is not None else clock,
        "series": _date_and_time(dataset, 0x00080021, 0x00080031),
        "units": elements.text(dataset, 0x00541001),
        "acquisition": moment(elements.text(dataset, 0x0008002A), zone) or _date_and_time(dataset, 0x00080022, 0x00080032),
    }
    if is_enhanced:
        return Facts(**{**common, **_enhanced(dataset, zone)})
    return Facts(
        **common,
        decay_correction=elements.text(dataset, 0x00541102),
        corrected=elements.texts(dataset, 0x00280051),
        ge_scan=moment(_private(dataset, 0x0009, "GEMS_PETD", 0x0D), zone),
        philips_suv=_positive(_private(dataset, 0x7053, "Philips PET", 0x00)),
        philips_activity=_positive(_private(dataset, 0x7053, "Philips PET", 0x09)),
    )


def _enhanced(dataset: Dataset, zone: str) -> dict[str, Any]:
    done = [name for name, tag in (("ATTN", 0x00189759), ("DECY", 0x00189758)) if elements.text(dataset, tag) == "YES"]
    contents = [item for group in elements.items(dataset, 0x52009230) for item in elements.items(group, 0x00209111)]
    times = [moment(elements.text(item, 0x00189074), zone) for item in contents]
    known = [t for t in times if t is not None]
    found: dict[str, Any] = {"corrected": tuple(done), "decay_reference": moment(elements.text(dataset, 0x00189701), zone)}
    found["decay_correction"] = "NONE" if elements.text(dataset, 0x00189758) == "NO" else "DATETIME"
    if known:
        found["acquisition"] = min(known)
    units = elements.text(dataset, 0x00541001) or _mapped_unit(dataset)
    found["units"] = {"BQ/ML": "BQML", "{SUVBW}G/ML": "GML", "G/ML{SUVBW}": "GML"}.get(units.upper(), units)
    return found


def _mapped_unit(dataset: Dataset) -> str:
    for holder in (elements.first(dataset, 0x52009229), elements.first(dataset, 0x52009230), dataset):
        mapping = elements.first(holder, 0x00409096) if holder is not None else None
        code = elements.first(mapping, 0x004008EA) if mapping is not None else None
        if code is not None:
            return elements.text(code, 0x00080100)
    return ""


def factor_of(files: Sequence[Facts]) -> Suv | NoSuv:
    """The factor of a series: every file must say the same."""
    if not files:
        return NoSuv(_("There is no file to compute SUV from."))
    facts = files[0]
    for what, read in _MUST_AGREE:
        if len({read(f) for f in files}) > 1:
            return NoSuv(_("SUV is not computed: the files of the series disagree about the {what}.").format(what=_(what)))
    if facts.units == "GML":
        unit = SUV_TYPES.get(facts.suv_type)
        if unit == "SUVbw":
            said = facts.suv_type or _("no other type is given")
            return Suv(1.0, _("The values are SUV by body weight already (units GML, {type}).").format(type=said))
        return NoSuv(_("The values are SUV already, but not by body weight (SUV type {type}).").format(type=elements.harmless(facts.suv_type)))
    if facts.units == "CNTS" and facts.philips_suv is not None:
        text = _("SUVbw = counts x {factor:.6g}, the SUV factor that the scanner wrote (7053,1000).")
        return Suv(facts.philips_suv, text.format(factor=facts.philips_suv))
    if facts.units == "CNTS" and facts.philips_activity is not None:
        return _by_formula(files, facts.philips_activity)
    if facts.units != "BQML":
        shown = elements.harmless(facts.units)[:16] or _("none")
        return NoSuv(_("SUV cannot be computed: the units of the values are {units}, not Bq/mL.").format(units=shown))
    return _by_formula(files, 1.0)


_MUST_AGREE: tuple[tuple[str, Callable[[Facts], object]], ...] = (
    (mark("units"), lambda f: (f.units, f.suv_type)),
    (mark("patient's weight"), lambda f: f.weight_kg),
    (mark("injected dose"), lambda f: f.doses_bq),
    (mark("half-life"), lambda f: f.half_life_s),
    (mark("time of the injection"), lambda f: (f.injection, f.injection_clock)),
    (mark("decay correction"), lambda f: (f.decay_correction, f.decay_reference, f.corrected)),
    (mark("time of the series"), lambda f: (f.series, f.ge_scan)),
    (mark("scanner's own scale"), lambda f: (f.philips_suv, f.philips_activity)),
)  # fmt: skip


def _by_formula(files: Sequence[Facts], scale: float) -> Suv | NoSuv:
    facts = files[0]
    problem = _what_lacks(facts)
    if problem:
        return NoSuv(_("SUV cannot be computed: {reason}.").format(reason=problem))
    assert facts.weight_kg is not None
    assert facts.half_life_s is not None
    dose = facts.doses_bq[0]
    assert dose is not None
    if facts.decay_correction == "ADMIN":
        when, delay, is_estimate = _("the injection"), timedelta(0), False
    else:
        reference, words, is_estimate = _reference(files)
        if reference is None:
            return NoSuv(_("SUV cannot be computed: {reason}.").format(reason=words))
        injected = facts.injection or _on_day_of(reference, facts.injection_clock)
        if injected is None:
            return NoSuv(_("SUV cannot be computed: {reason}.").format(reason=_("the time of the injection is missing")))
        delay, when = reference - injected, words
        if not timedelta(0) <= delay <= LONGEST:
            text = _("the injection ({injected}) would lie {hours:.1f} h before the time that the values are corrected to ({reference})")
            hours = delay.total_seconds() / 3600
            return NoSuv(_("SUV cannot be computed: {reason}.").format(reason=text.format(injected=injected, hours=hours, reference=reference)))
    left = dose * 2.0 ** (-delay.total_seconds() / facts.half_life_s)
    factor = scale * facts.weight_kg * 1000.0 / left
    text = _("SUVbw = Bq/mL x {weight:g} kg x 1000 / {left:.6g} Bq: {dose:.4g} MBq injected {minutes:.1f} min before {when}, half-life {life:g} s.")
    how = text.format(weight=facts.weight_kg, left=left, dose=dose / 1e6, minutes=delay.total_seconds() / 60, when=when, life=facts.half_life_s)
    if scale != 1.0:
        how += " " + _("Counts were turned into Bq/mL with the scanner's factor {scale:.6g} (7053,1009).").format(scale=scale)
    return Suv(factor, how, is_estimate)


def _what_lacks(facts: Facts) -> str:
    """Why the formula cannot be used, "" where it can."""
    dose = facts.doses_bq[0] if facts.doses_bq else None
    lacking = [name for name, done in ((_("attenuation (ATTN)"), "ATTN"), (_("decay (DECY)"), "DECY")) if done not in facts.corrected]
    if facts.decay_correction == "NONE":
        return _("the values are not corrected for decay")
    if facts.decay_correction not in ("START", "ADMIN", "DATETIME"):
        return _("the header does not say to which time the values are corrected for decay")
    if lacking:
        return _("the header does not say that the values are corrected for {what}").format(what=_(" and ").join(lacking))
    if facts.weight_kg is None or facts.weight_kg <= 0:
        return _("the patient's weight is missing")
    if len(facts.doses_bq) > 1:
        return _("{count} radiopharmaceuticals were given").format(count=len(facts.doses_bq))
    if dose is None or dose <= 0:
        return _("the injected dose is missing")
    if facts.half_life_s is None or facts.half_life_s <= 0:
        return _("the half-life of the radionuclide is missing")
    low, high = _F18_DOSE_BQ if _F18_HALF_LIFE_S[0] < facts.half_life_s < _F18_HALF_LIFE_S[1] else (_LEAST_DOSE_BQ, 1e12)
    if not low <= dose <= high:
        return _("an injected dose of {dose:g} Bq is not believable; it may be in another unit").format(dose=dose)
    return ""


def _reference(files: Sequence[Facts]) -> tuple[datetime | None, str, bool]:
    """The time that the values are corrected to, its name (or why there is none), and whether it is a guess (D24)."""
    facts = files[0]
    if facts.decay_correction == "DATETIME":
        return (
            facts.decay_reference,
            _("the time named in the header") if facts.decay_reference else _("the time of the decay correction is missing"),
            False,
        )
    times = [f.acquisition for f in files]
    known = [t for t in times if t is not None]
    if len(known) < len(times):
        return None, _("the time of the acquisition is missing"), False
    first = min(known)
    # A later time is that of a post-processing, not of the scan.
    if facts.series is not None and facts.series <= first + _SLACK:
        return facts.series, _("the start of the series"), False
    if facts.ge_scan is not None and facts.ge_scan <= first + _SLACK:
        return facts.ge_scan, _("the start of the scan (0009,100D)"), False
    return first, _("the earliest acquisition (the time of the series is later or missing)"), True


def _on_day_of(reference: datetime, clock: str) -> datetime | None:
    """A time of day as the last such moment before the reference (D25)."""
    time = moment(reference.strftime("%Y%m%d") + clock) if clock.strip() else None
    if time is None:
        return None
    return time - timedelta(days=1) if time > reference else time


def moment(text: str, zone: str = "") -> datetime | None:
    """A DICOM date and time (``20240131235959.25+0100``) by the clock of the scanner.

    ``zone`` is that clock's offset from UTC (Timezone Offset From UTC), where the file gives one: a moment that names another
    offset is told in that of the clock. Without it the offset is not used.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    try:
        when = datetime.strptime(found[1].ljust(14, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007  the scanner's clock, whatever its zone
    except ValueError:
        return None
    if found[2]:
        when += timedelta(seconds=float(f"0{found[2]}"))
    if found[3] and _ZONE.fullmatch(zone):
        when += _offset(zone) - _offset(found[3])
    return when


_ZONE = re.compile(r"[+-]\d{4}")
_MOMENT = re.compile(r"(\d{10}|\d{12}|\d{14})(\.\d{1,6})?([+-]\d{4})?", re.ASCII)


def _offset(zone: str) -> timedelta:
    return timedelta(hours=int(zone[1:3]), minutes=int(zone[3:])) * (-1 if zone[0] == "-" else 1)


def _date_and_time(dataset: Dataset, date: int, time: int) -> datetime | None:
    day, clock = elements.text(dataset, date).replace(".", ""), elements.text(dataset, time).replace(":", "")
    return moment(day + clock) if len(day) == 8 and clock else None


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < 1e30 else None


def _private(dataset: Dataset, group: int, creator: str, element: int) -> str:
    """Text of a private element in the block that its creator has reserved; "" where there is none."""
    for block in range(0x10, 0x100):
        owner = elements.text(dataset, group << 16 | block)
        if owner.startswith(creator):
            found = elements.raw(dataset, group << 16 | block << 8 | element)
            if found is None:
                return ""
            numbers = elements.numbers(dataset, group << 16 | block << 8 | element) if found.VR in ("FD", "FL") else ()
            return repr(numbers[0]) if numbers else elements.text(dataset, group << 16 | block << 8 | element)
    return ""
