"""package: from a script and prepared artifacts to the files that are booted, every byte with an owner."""

from xboot.package.cpio import CpioWriter
from xboot.package.image import assemble, whole_file
from xboot.package.payload import FRAMING, Payload, write_payload

__all__ = ["FRAMING", "CpioWriter", "Payload", "assemble", "whole_file", "write_payload"]
