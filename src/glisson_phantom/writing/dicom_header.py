"""The attributes of a DICOM whole slide image; the only module that needs pydicom."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import BinaryIO

from PIL import ImageCms
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.uid import JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage
from pydicom.valuerep import format_number_as_ds

from glisson.frames import Size
from glisson_phantom.writing.encapsulation import SpooledFrames
from glisson_phantom.writing.pyramid import TILE_PX, Level, SlideDetails

# DICOM demands dates; a fixed one keeps the same pixels the same bytes.
_DATE = "20000101"
_TIME = "000000"
_MAKER = "Glisson"
_LONG_STRING = 64
# Sections are a few µm thick; DICOM requires the attribute, and nobody measures with it.
_THICKNESS_MM = 0.004
_OPTICAL_PATH = "1"
_RAW_BYTES_PER_PX = 3
# A 2.25 UID is a UUID as a number; these come from names under this one.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "glisson:dicom")


@dataclass(frozen=True)
class SeriesHeader:
    """The attributes that the files of one slide's series share, and those of each level.

    Attributes:
        details: pixel size, quality and identity.
        size_l0: level-0 pixels.
        digest: hash of the level-0 frames, so that other pixels are another series.
    """

    details: SlideDetails
    size_l0: Size
    digest: str

    def write(self, file: BinaryIO, level: Level, frames: SpooledFrames) -> None:
        """Write everything before the pixel data of a level."""
        dataset = self._describe(level, frames)
        dataset.file_meta = _describe_file(dataset.SOPInstanceUID)
        dcmwrite(file, dataset, enforce_file_format=True)

    def _describe(self, level: Level, frames: SpooledFrames) -> Dataset:
        dataset = Dataset()
        self._add_patient_and_study(dataset)
        self._add_series(dataset, level)
        self._add_equipment(dataset)
        self._add_specimen(dataset)
        self._add_organisation(dataset)
        self._add_image(dataset, level)
        self._add_slide_geometry(dataset, level)
        _add_pixel_format(dataset, level, frames)
        dataset.OpticalPathSequence = [_describe_light()]
        dataset.SharedFunctionalGroupsSequence = [self._describe_frames(level)]
        return dataset

    def _add_patient_and_study(self, dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = "ISO_IR 192"
        for unknown in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
            setattr(dataset, unknown, "")
        for unknown in ("ReferringPhysicianName", "StudyID", "AccessionNumber"):
            setattr(dataset, unknown, "")
        dataset.StudyInstanceUID = _uid("study", self.details.identity)
        dataset.StudyDate, dataset.StudyTime = _DATE, _TIME

    def _add_series(self, dataset: Dataset, level: Level) -> None:
        dataset.Modality = "SM"
        dataset.SeriesInstanceUID = self._series_uid("series")
        dataset.SeriesNumber = 1
        dataset.SOPClassUID = VLWholeSlideMicroscopyImageStorage
        dataset.SOPInstanceUID = self._series_uid(f"level {level.number}")
        dataset.InstanceNumber = level.number + 1
        dataset.FrameOfReferenceUID = self._series_uid("frame of reference")
        dataset.PositionReferenceIndicator = "SLIDE_CORNER"

    def _add_equipment(self, dataset: Dataset) -> None:
        dataset.Manufacturer = dataset.ManufacturerModelName = _MAKER
        dataset.DeviceSerialNumber = dataset.SoftwareVersions = _MAKER

    def _add_specimen(self, dataset: Dataset) -> None:
        dataset.ContainerIdentifier = self._name
        dataset.IssuerOfTheContainerIdentifierSequence = []
        dataset.ContainerTypeCodeSequence = [_code("433466003", "SCT", "Microscope slide")]
        specimen = Dataset()
        specimen.SpecimenIdentifier = self._name
        specimen.SpecimenUID = _uid("specimen", self.details.identity)
        specimen.IssuerOfTheSpecimenIdentifierSequence = []
        specimen.SpecimenPreparationSequence = []
        dataset.SpecimenDescriptionSequence = [specimen]
        dataset.AcquisitionContextSequence = []

    def _add_organisation(self, dataset: Dataset) -> None:
        """Declare that frames run from left to right and top to bottom without gaps."""
        organisation = Dataset()
        organisation.DimensionOrganizationUID = self._series_uid("dimensions")
        dataset.DimensionOrganizationSequence = [organisation]
        dataset.DimensionOrganizationType = "TILED_FULL"

    def _add_image(self, dataset: Dataset, level: Level) -> None:
        dataset.ImageType = _image_type(level)
        dataset.ContentDate, dataset.ContentTime = _DATE, _TIME
        dataset.AcquisitionDateTime = _DATE + _TIME
        dataset.VolumetricProperties = "VOLUME"
        dataset.SpecimenLabelInImage = dataset.BurnedInAnnotation = "NO"
        dataset.FocusMethod = "AUTO"
        dataset.ExtendedDepthOfField = "NO"
        if self.details.comment:
            dataset.ImageComments = self.details.comment

    def _add_slide_geometry(self, dataset: Dataset, level: Level) -> None:
        pixel = self.details.pixel_size
        dataset.ImagedVolumeWidth = self.size_l0.width * pixel.x_um / 1000
        dataset.ImagedVolumeHeight = self.size_l0.height * pixel.y_um / 1000
        dataset.ImagedVolumeDepth = _THICKNESS_MM * 1000  # µm, unlike its neighbours
        dataset.TotalPixelMatrixColumns = level.size.width
        dataset.TotalPixelMatrixRows = level.size.height
        dataset.TotalPixelMatrixFocalPlanes = dataset.NumberOfOpticalPaths = 1
        origin = Dataset()
        origin.XOffsetInSlideCoordinateSystem = origin.YOffsetInSlideCoordinateSystem = 0
        dataset.TotalPixelMatrixOriginSequence = [origin]
        dataset.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]

    def _describe_frames(self, level: Level) -> Dataset:
        groups, frame_type, path = Dataset(), Dataset(), Dataset()
        groups.PixelMeasuresSequence = [self._measure_pixels(level)]
        frame_type.FrameType = _image_type(level)
        groups.WholeSlideMicroscopyImageFrameTypeSequence = [frame_type]
        path.OpticalPathIdentifier = _OPTICAL_PATH
        groups.OpticalPathIdentificationSequence = [path]
        return groups

    def _measure_pixels(self, level: Level) -> Dataset:
        """Return mm per pixel, the spacing of rows before that of columns."""
        pixel, measures = self.details.pixel_size, Dataset()
        measures.PixelSpacing = [
            format_number_as_ds(um * level.downsample / 1000) for um in (pixel.y_um, pixel.x_um)
        ]
        measures.SliceThickness = _THICKNESS_MM
        return measures

    def _series_uid(self, of: str) -> str:
        facts = (self.details.identity, self.details.pixel_size, self.size_l0, self.digest)
        return _uid(of, *map(str, facts))

    @property
    def _name(self) -> str:
        """Return the identity without characters that a DICOM string cannot hold."""
        return re.sub(r"[\\\x00-\x1f\x7f]", "_", self.details.identity)[:_LONG_STRING]


def _describe_file(instance_uid: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = instance_uid
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    # pydicom's own would change with its version.
    meta.ImplementationClassUID = _uid("implementation")
    meta.ImplementationVersionName = _MAKER
    return meta


def _add_pixel_format(dataset: Dataset, level: Level, frames: SpooledFrames) -> None:
    dataset.Rows = dataset.Columns = TILE_PX
    dataset.NumberOfFrames = len(frames.lengths)
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.PlanarConfiguration = dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    raw_bytes = len(frames.lengths) * TILE_PX**2 * _RAW_BYTES_PER_PX
    dataset.LossyImageCompressionRatio = f"{raw_bytes / frames.encoded_bytes:.3f}"
    if frames.needs_extended_offsets:
        offsets, lengths = frames.pack_extended_tables()
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths


def _describe_light() -> Dataset:
    path = Dataset()
    path.OpticalPathIdentifier = _OPTICAL_PATH
    path.IlluminationTypeCodeSequence = [_code("111744", "DCM", "Brightfield illumination")]
    path.IlluminationColorCodeSequence = [_code("414298005", "SCT", "Full Spectrum")]
    path.ICCProfile = _srgb_profile()
    path.ColorSpace = "SRGB"
    return path


def _srgb_profile() -> bytes:
    """Return the sRGB profile with a fixed date in bytes 24 to 36, instead of today's."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = b"\x07\xd0\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00"
    return bytes(profile)


def _image_type(level: Level) -> list[str]:
    if level.number == 0:
        return ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    return ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _uid(*parts: str) -> str:
    return f"2.25.{uuid.uuid5(_NAMESPACE, '|'.join(parts)).int}"
