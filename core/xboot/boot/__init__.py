"""boot-verify: boot an image on a machine, believe only its result channel, and judge every output."""

from xboot.boot.channel import ChannelReader
from xboot.boot.expectations import gather_expectations, parse_hash
from xboot.boot.run import RunOptions, check_machine, run_machine

__all__ = ["ChannelReader", "RunOptions", "check_machine", "gather_expectations", "parse_hash", "run_machine"]
