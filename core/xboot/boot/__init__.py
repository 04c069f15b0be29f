"""boot-verify: boot an image in QEMU, believe only its result channel, and judge every output."""

from xboot.boot.channel import ChannelReader
from xboot.boot.expectations import gather_expectations, parse_hash
from xboot.boot.kvm import works as kvm_works
from xboot.boot.run import RunOptions, run_machine

__all__ = ["ChannelReader", "RunOptions", "gather_expectations", "kvm_works", "parse_hash", "run_machine"]
