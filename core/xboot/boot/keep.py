"""`--keep`: an image, and the command that powers a machine on with it, for people who look into a guest by hand."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import replace
from pathlib import Path

from xboot.machine import Machine, MachineOptions
from xboot.model import Boot, BootImage

COMMAND = "command"


def keep_image(folder: Path, image: BootImage, boot: Boot, machine: Machine, options: MachineOptions) -> None:
    """Copy the image's files to `folder` under their names in it, the script as `script`, and write `command`, a shell script that boots
    them on `machine` as this run does. Nothing in it names another folder: all of it may be moved, or given to somebody.

    Raises OSError when something cannot be written, and what `Machine.describe` raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = {path: Path(name) for name, path in image.files.items()}
    for path, name in names.items():
        shutil.copyfile(path, folder / name)
    (folder / "script").write_bytes(image.script.text)
    kept = replace(boot, kernel=names[boot.kernel], modules=tuple(replace(module, path=names[module.path]) for module in boot.modules))
    lines = [
        "#!/bin/sh",
        f"# The image {image.sha256} of backend {image.backend},",
        f"# as machine {machine.info.name} boots it. docs/debugging.md says how to speak with the guest.",
        'cd "$(dirname "$0")" || exit',
        f"exec {shlex.join(machine.describe(kept, options))}",
    ]
    command = folder / COMMAND
    command.write_text("\n".join(lines) + "\n")
    command.chmod(0o755)
