"""Slides that hold a secret wherever a scanner writes one, and a search of all that a run wrote."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image

from glisson.frames import PixelSize, Size
from glisson_phantom.writing import write_pyramid
from tests.run.conftest import scene_pixels

_TILE = 256
_WIDTH_PX = 2000
"""Of the scene, which holds two tracts then."""


@cache
def small_scene() -> np.ndarray:
    return np.ascontiguousarray(scene_pixels()[:, :_WIDTH_PX])


def write_aperio(path: Path, secret: str) -> Path:
    """An SVS with the secret in every description, tag, and in its label and macro."""
    pixels = small_scene()
    height, width = pixels.shape[:2]
    text = (
        f"Aperio Image Library v11\r\n{width}x{height} JPEG/RGB Q=90|AppMag = 20|MPP = 0.5|"
        f"User = {secret}|Date = 11/12/13|Filename = {secret}|Patient = {secret}|Title = {secret}"
    )
    tags = [(315, "s", 0, secret, False), (316, "s", 0, secret, False)]
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(
            pixels, photometric="rgb", tile=(_TILE, _TILE), compression="jpeg", description=text,
            datetime="1911:12:13 14:15:16", software=secret, extratags=tags, metadata=None,
        )  # fmt: skip
        for name in ("thumbnail", "label", "macro"):
            picture = np.full((200, 300, 3), 200, np.uint8)
            cv2.putText(picture, secret, (5, 90), 0, 0.7, (0, 0, 0), 2)
            tiff.write(
                picture, photometric="rgb", rowsperstrip=16, compression="jpeg", metadata=None,
                description=f"Aperio Image Library v11\r\n{name} 300x200 {secret}", extratags=tags,
            )  # fmt: skip
    return path


def write_ome(path: Path, secret: str) -> Path:
    """An OME-TIFF whose XML holds the secret, with a label as its second image."""
    label = np.full((128, 192, 3), 200, np.uint8)
    physical = {f"PhysicalSize{axis}": 0.5 for axis in "XY"}
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(
            small_scene(), photometric="rgb", tile=(_TILE, _TILE), compression="jpeg",
            software=secret, metadata={"Name": secret, "Description": secret, **physical},
        )  # fmt: skip
        tiff.write(label, photometric="rgb", metadata={"Name": "label " + secret, **physical})
    return path


def write_dicom(folder: Path, secret: str) -> Path:
    """A DICOM slide of a named patient, with a label and an overview that sort first."""
    import pydicom

    pixels = small_scene()
    size = Size(pixels.shape[1], pixels.shape[0])
    write_pyramid(folder, pixels, size, PixelSize(0.5, 0.5), "dicom", identity="level")
    levels = sorted(folder.glob("*.dcm"))
    for number, path in enumerate(levels):
        file = pydicom.dcmread(path)
        file.PatientName = file.PatientID = file.AccessionNumber = secret[:16]
        file.StudyDescription = file.SeriesDescription = file.ContainerIdentifier = secret
        file.save_as(path)
        path.rename(folder / f"{secret}-{number}.dcm")
    smallest = pydicom.dcmread(folder / f"{secret}-{len(levels) - 1}.dcm")
    for kind in ("LABEL", "OVERVIEW"):
        smallest.ImageType = ["ORIGINAL", "PRIMARY", kind, "NONE"]
        smallest.SOPInstanceUID = smallest.file_meta.MediaStorageSOPInstanceUID = (
            pydicom.uid.generate_uid()
        )
        smallest.save_as(folder / f"0-{kind}-{secret}.dcm")
    return folder


def told(folder: Path, secret: str) -> list[str]:
    """Where a secret stands in a folder: names, bytes in any coding, what is packed in files."""
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if secret.casefold() in name.casefold():
            found.append(f"the name {name}")
        if path.is_file() and any(_holds(part, secret) for part in _parts(path)):
            found.append(name)
    return found


def _holds(data: bytes, secret: str) -> bool:
    lower = data.lower()
    return any(secret.lower().encode(coding) in lower for coding in ("utf-8", "utf-16-le"))


def _parts(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what they hold packed: pictures' texts, tags, archives, data URIs."""
    data = path.read_bytes()
    yield data
    if path.suffix in (".png", ".jpg"):
        yield _picture_texts(data)
    elif path.suffix == ".tif":
        with tifffile.TiffFile(path) as tiff:
            for page in tiff.pages:
                yield repr([(tag.name, tag.value) for tag in page.tags]).encode()
    elif path.suffix == ".gz":
        yield gzip.decompress(data)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    for uri in re.findall(rb"base64,([A-Za-z0-9+/=]+)", data):
        packed = base64.b64decode(uri)
        yield packed
        if packed[:3] == b"\xff\xd8\xff" or packed[:4] == b"\x89PNG":
            yield _picture_texts(packed)


def _picture_texts(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return repr(picture.info).encode() + repr(dict(picture.getexif())).encode()
