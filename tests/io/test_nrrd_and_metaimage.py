"""NRRD and MetaImage headers, by hand and by SimpleITK, against SimpleITK's reading."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from viewer.core.errors import NegatoscopeError
from viewer.io import metaimage, nrrd

TURN = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
DATA = np.arange(60, dtype=np.int16).reshape(3, 4, 5) * 11 - 200


def opened(path, pool):
    reader = nrrd if path.suffix in (".nrrd", ".nhdr") else metaimage
    listing = reader.scan([path])
    assert not listing.refused, listing.refused
    return reader.load(listing.series[0], pool=pool)


def reason(path) -> str:
    reader = nrrd if path.suffix in (".nrrd", ".nhdr") else metaimage
    listing = reader.scan([path])
    assert not listing.series
    assert path.name in listing.refused[0].reason
    return listing.refused[0].reason


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("ending", [".nrrd", ".nhdr", ".mha", ".mhd"])
def test_simpleitk_and_we_agree_on_every_voxels_place(tmp_path, inline_pool, ending, compressed):
    image = sitk.GetImageFromArray(DATA)
    image.SetSpacing((0.5, 0.7, 3.0))
    image.SetOrigin((11.5, -22.25, 33.125))
    image.SetDirection(TURN)
    path = tmp_path / f"v{ending}"
    sitk.WriteImage(image, str(path), compressed)
    volume = opened(path, inline_pool)
    assert np.array_equal(volume.values, DATA)
    for index in ((0, 0, 0), (2, 3, 4), (1, 0, 2)):
        assert volume.geometry.to_patient(index) == pytest.approx(image.TransformIndexToPhysicalPoint(index[::-1]), abs=1e-4)


def test_transform_matrix_rows_are_axis_directions(tmp_path, inline_pool):
    head = "ObjectType = Image\nNDims = 3\nTransformMatrix = 0 1 0 0 0 1 1 0 0\nOffset = 1 2 3\nElementSpacing = 2 3 4\nDimSize = 2 2 2\n"
    (tmp_path / "a.mha").write_bytes((head + "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n").encode() + bytes(range(8)))
    geometry = opened(tmp_path / "a.mha", inline_pool).geometry
    assert geometry.to_patient((0, 0, 1)) == pytest.approx((1, 2 + 2, 3))  # a column further: along the first row
    assert geometry.to_patient((1, 0, 0)) == pytest.approx((1 + 4, 2, 3))


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1)), ("LPS", (1, 1)), ("right-anterior-superior", (-1, -1)), ("RAS", (-1, -1)),
        ("left-anterior-superior", (1, -1)), ("LAS", (1, -1)),
    ],
)  # fmt: skip
def test_all_spaces_of_nrrd_become_lps(tmp_path, inline_pool, space, signs):
    directions = "space directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (5,6,7)"
    geometry = opened(make(tmp_path, f"dimension: 3\nspace: {space}\nsizes: 2 2 2\n{directions}"), inline_pool).geometry
    assert geometry.to_patient((1, 1, 1)) == pytest.approx((signs[0] * 7, signs[1] * 9, 11))
    assert geometry.is_patient


def make(tmp_path, lines: str, data: bytes = bytes(range(8)), name: str = "a.nrrd"):
    head = "NRRD0005\ntype: uchar\nencoding: raw\n" if "encoding" not in lines else "NRRD0005\ntype: uchar\n"
    (tmp_path / name).write_bytes((head + lines + "\n\n").encode() + data)
    return tmp_path / name


def test_no_space_means_no_patient_but_spacings_count(tmp_path, inline_pool):
    volume = opened(make(tmp_path, "dimension: 3\nsizes: 2 2 2\nspacings: 0.5 0.7 nan"), inline_pool)
    assert not volume.geometry.is_patient
    assert (volume.geometry.in_plane_known, volume.geometry.between_known) == (True, False)
    assert volume.geometry.spacing[1:] == (0.7, 0.5)
    assert volume.badges == ("NO GEOMETRY",)
    assert not opened(make(tmp_path, "dimension: 3\nsizes: 2 2 2"), inline_pool).geometry.in_plane_known


def test_a_list_axis_is_phases_wherever_it_stands(tmp_path, inline_pool):
    data = np.arange(48, dtype=np.uint8)
    directions = "space: LPS\nspace directions: {}\nspace origin: (0,0,0)"
    lines = "dimension: 4\nsizes: 2 4 3 2\nkinds: list domain domain domain\n" + directions.format("none (1,0,0) (0,1,0) (0,0,1)")
    first = make(tmp_path, lines, data.tobytes())
    volume = opened(first, inline_pool)
    assert volume.data.shape == (2, 2, 3, 4)
    assert np.array_equal(volume.phase(1), data.reshape(2, 3, 4, 2)[..., 1])
    entry = nrrd.scan([first]).series[0]
    assert np.array_equal(nrrd.load_plane(entry, 1, 1, pool=inline_pool).values[0], volume.phase(1)[1])
    lines = "dimension: 4\nsizes: 4 3 2 2\nkinds: domain domain domain list\n" + directions.format("(1,0,0) (0,1,0) (0,0,1) none")
    last = make(tmp_path, lines, data.tobytes())
    assert np.array_equal(opened(last, inline_pool).phase(1), data.reshape(2, 2, 3, 4)[1])


@pytest.mark.parametrize("kind", ["RGB-color", "vector", "3-color"])
def test_three_bytes_of_colour_are_colour(tmp_path, inline_pool, kind):
    data = np.arange(24, dtype=np.uint8)
    volume = opened(make(tmp_path, f"dimension: 3\nsizes: 3 4 2\nkinds: {kind} domain domain", data.tobytes()), inline_pool)
    assert volume.is_color
    assert np.array_equal(volume.values[0], data.reshape(2, 4, 3))


def test_skips_and_text_and_custom_keys(tmp_path, inline_pool):
    wanted = list(range(8))
    for lines, data in (
        ("dimension: 3\nsizes: 2 2 2\nline skip: 2", b"one\ntwo\n" + bytes(wanted)),
        ("dimension: 3\nsizes: 2 2 2\nbyte skip: 5", b"12345" + bytes(wanted)),
        ("dimension: 3\nsizes: 2 2 2\nbyte skip: -1", b"any number of bytes" + bytes(wanted)),
        ("dimension: 3\nsizes: 2 2 2\nencoding: ascii", b"0 1 2 3\n4,5 6\n7"),
        ("# a comment: with a colon\nkey:=value: more\ndimension: 3\nsizes: 2 2 2\nbyte skip:= -1", bytes(wanted)),
    ):
        assert opened(make(tmp_path, lines, data), inline_pool).values.ravel().tolist() == wanted


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ("dimension: 3\nsizes: 2 2", "contradict"),
        ("dimension: 3\nsizes: 2 2 x", "not understood"),
        ("dimension: 3\nsizes: 2 0 2", "2 x 0 x 2"),
        ("dimension: 3\nsizes: 1000000 1000000 1000000", "this needs"),
        ("dimension: 3\nsizes: 4 4 4", "only 8 bytes"),
        ("dimension: 1\nsizes: 8", "one dimension"),
        ("dimension: 3\nsizes: 2 2 2\nencoding: hex", "hex"),
        ("sizes: 2 2 2", "dimension"),
        ("dimension: 3\nsizes: 2 2 2\nspace directions: (1,0,0) (0,1,0)", "3 axes"),
        ("dimension: 3\nsizes: 2 2 2\nbyte skip: -2", "byte skip"),
        ("dimension: 3\nsizes: 2 2 2\nnonsense", "nonsense"),
    ],
)
def test_nrrd_headers_that_lie_get_a_sentence(tmp_path, lines, word):
    assert word in reason(make(tmp_path, lines))


@pytest.mark.parametrize(
    "directions",
    ["(nan,0,0) (0,1,0) (0,0,1)", "(1,0,0) (1,0,0) (0,0,1)", "(0,0,0) (0,1,0) (0,0,1)", "(1,0) (0,1) (0,0)", "(inf,0,0) (0,1,0) (0,0,1)"],
)
def test_a_geometry_that_is_none_is_left_out_with_a_warning(tmp_path, inline_pool, directions):
    lines = f"dimension: 3\nsizes: 2 2 2\nspace: LPS\nspace directions: {directions}\nspace origin: (0,0,0)"
    volume = opened(make(tmp_path, lines), inline_pool)
    assert not volume.geometry.is_patient
    assert any("no geometry" in w for w in volume.warnings)


META = {"ObjectType": "Image", "NDims": "3", "DimSize": "2 2 2", "ElementType": "MET_UCHAR", "ElementDataFile": "LOCAL"}


def make_meta(tmp_path, data: bytes = bytes(range(8)), **changes: str):
    fields = {**META, **changes}
    fields["ElementDataFile"] = fields.pop("ElementDataFile")
    (tmp_path / "a.mha").write_bytes("".join(f"{k} = {v}\n" for k, v in fields.items()).encode() + data)
    return tmp_path / "a.mha"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"DimSize": "2 2"}, "contradict"),
        ({"DimSize": "2 2 nan"}, "DimSize"),
        ({"DimSize": "-2 2 2"}, "-2 x 2 x 2"),
        ({"DimSize": "1e308 2 2"}, "no size"),
        ({"DimSize": "4 4 4"}, "only 8 bytes"),
        ({"ElementType": "MET_STRING"}, "MET_STRING"),
        ({"ObjectType": "Tube"}, "Tube"),
        ({"CompressedData": "True", "CompressedDataSize": "999"}, "cut short"),
        ({"CompressedData": "True"}, "damaged"),
        ({"ElementNumberOfChannels": "0"}, "no size"),
        ({"HeaderSize": "-7"}, "HeaderSize"),
        ({"NDims": "1", "DimSize": "8"}, "1 dimensions"),
    ],
)
def test_metaimage_headers_that_lie_get_a_sentence(tmp_path, inline_pool, changes, word):
    path = make_meta(tmp_path, **changes)
    listing = metaimage.scan([path])
    if listing.series:  # a zlib stream is looked at when it is read
        with pytest.raises(NegatoscopeError) as caught:
            metaimage.load(listing.series[0], pool=inline_pool)
        assert word in str(caught.value)
    else:
        assert word in listing.refused[0].reason


def test_metaimage_odds_and_ends(tmp_path, inline_pool):
    wanted = list(range(8))
    assert opened(make_meta(tmp_path, b"??" + bytes(wanted), HeaderSize="-1"), inline_pool).values.ravel().tolist() == wanted
    assert opened(make_meta(tmp_path, b"0 1 2 3 4 5 6 7", BinaryData="False"), inline_pool).values.ravel().tolist() == wanted
    big = np.array(wanted, ">i2").tobytes()
    assert opened(make_meta(tmp_path, big, ElementType="MET_SHORT", BinaryDataByteOrderMSB="True"), inline_pool).values.ravel().tolist() == wanted
    color = opened(make_meta(tmp_path, bytes(range(24)), ElementNumberOfChannels="3"), inline_pool)
    assert color.is_color
    assert color.values[0, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    unknown = opened(make_meta(tmp_path, ElementSpacing="0 nan 1", Offset="0 0 0"), inline_pool).geometry
    assert not unknown.in_plane_known
    assert unknown.is_patient
