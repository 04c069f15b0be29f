"""What installs xboot elsewhere: nix/, guix/, the files for CI, wheel and sdist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from transcripts import REPOSITORY, blocks, commands, stranger

CI = REPOSITORY / "examples" / "ci"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
NEEDS = {re.split(r"[\[><=]", need)[0].replace(".", "-") for need in PROJECT["dependencies"]}

# As much of nixpkgs as nix/ asks for: each Python package is its own name, and so is each function's answer.
NIXPKGS = """
let
  lib = {
    importTOML = file: builtins.fromTOML (builtins.readFile file);
    fileset.unions = files: assert builtins.all builtins.pathExists files; files;
    fileset.toSource = { root, fileset }: map toString fileset;
    makeBinPath = builtins.concatStringsSep ":";
    licenses.gpl3Plus = "GPL-3.0-or-later";
  };
  names = [ "cryptography" ] ++ builtins.fromJSON ''@names@'';
  python3Packages = builtins.listToAttrs (map (name: { inherit name; value = name; }) names) // {
    hatchling = "hatchling";
    buildPythonApplication = given: given // { outPath = "/xboot"; };
  };
  given = { inherit lib python3Packages; makeWrapper = "makeWrapper"; qemu = "qemu"; bubblewrap = "bwrap"; };
in
{
  package = removeAttrs (import @root@/nix/package.nix given) [ "outPath" ];
  flake = (import @root@/nix/flake.nix).outputs {
    self = null;
    nixpkgs.legacyPackages.x86_64-linux.callPackage = file: more: import file (given // more);
  };
}
"""


def run(*command: object, **more: object) -> str:
    done = subprocess.run([*map(str, command)], text=True, check=False, stdin=subprocess.DEVNULL, capture_output=True, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return str(done.stdout)


@pytest.mark.nix
def test_the_nix_definitions_evaluate(tmp_path: Path) -> None:
    for file in sorted((REPOSITORY / "nix").glob("*.nix")):
        run("nix-instantiate", "--parse", file)
    (tmp_path / "all.nix").write_text(NIXPKGS.replace("@names@", json.dumps(sorted(NEEDS))).replace("@root@", str(REPOSITORY)))

    def value(of: str) -> object:
        return json.loads(run("nix-instantiate", "--eval", "--strict", "--json", tmp_path / "all.nix", "-A", of))

    package = value("package")
    assert isinstance(package, dict)
    assert package["version"] == PROJECT["version"] and package["meta"]["description"] == PROJECT["description"]
    assert set(package["dependencies"]) == NEEDS | {"cryptography"}
    assert value("flake.apps.x86_64-linux.default.program") == "/xboot/bin/xboot"


@pytest.mark.compiler
def test_the_guix_definition_is_read_by_guile() -> None:
    program = """
      (for-each (lambda (char) (read-hash-extend char (lambda (c port) (list 'gexp c (read port))))) '(#\\~ #\\$ #\\+))
      (call-with-input-file (cadr (command-line)) (lambda (port) (let loop ((form (read port)))
        (unless (eof-object? form) (write form) (newline) (loop (read port))))))"""
    file = REPOSITORY / "guix" / "guix.scm"
    forms = run("guile", "--no-auto-compile", "-c", program, file).splitlines()
    assert forms[0].startswith("(use-modules ") and forms[-1].startswith('(package (name "xboot")')
    asked = set(re.findall(r'python-([a-z0-9-]+?)(?=[") ])', forms[-1]))
    assert asked == NEEDS
    assert f'(version "{PROJECT["version"]}")' in forms[-1]


def test_what_guix_lacks_is_defined_at_the_locked_versions() -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (REPOSITORY / "requirements" / "run.txt").read_text(), re.MULTILINE))
    defined = re.findall(r'\(from-pypi "\S+" "(\S+)" "(\S+)"', (REPOSITORY / "guix" / "guix.scm").read_text())
    assert len(defined) >= 9
    assert {file.replace("_", "-"): version for file, version in defined} == {
        file.replace("_", "-"): locked[file.replace("_", "-")] for file, _ in defined
    }


@pytest.mark.parametrize(("file", "schema"), [("github.yml", "vendor.github-workflows"), ("gitlab-ci.yml", "vendor.gitlab-ci")])
def test_the_files_for_ci_are_what_their_services_take(tmp_path: Path, file: str, schema: str) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    run(*check, CI / file)
    (tmp_path / file).write_text(re.sub(r"timeout(-minutes)?:", "timeout-hours:", (CI / file).read_text()).replace("script:", "skript:"))
    done = subprocess.run([*check, str(tmp_path / file)], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout


def test_what_the_files_for_ci_run_is_what_the_page_shows_and_a_test_runs() -> None:
    page = [block for block in blocks(REPOSITORY / "docs" / "ways-in" / "ci.md") if block.kind == "console"]
    typed = [command for block in page for command, _ in commands(block)]
    for file in ("github.yml", "gitlab-ci.yml"):
        written = re.findall(r"^ +(?:- |- run: |run: )(xboot .*)$", (CI / file).read_text(), re.MULTILINE)
        assert len(written) == 2, file
        assert [command.replace('"$TARGET"', "recipe.toml") for command in written] == typed[-2:], file


def test_what_the_files_for_ci_install_is_what_set_up_installs() -> None:
    listed = (REPOSITORY / "tools" / "setup.sh").read_text().partition('packages="\n')[2].partition('"\n')[0]
    wanted = {line.split()[0] for line in listed.splitlines()}
    assert "qemu-system-x86" in wanted
    installed = set(re.search(r"apt-get install (.*)", (CI / "gitlab-ci.yml").read_text())[1].split())  # type: ignore[index]
    assert wanted <= installed
    container = (CI / "Containerfile").read_text()
    assert "tools/setup.sh packages" in container and "--require-hashes -r requirements/run.txt" in container
    copied = re.findall(r"^(?:COPY|ENTRYPOINT|FROM|CMD|ENV|RUN|WORKDIR) ", container, re.MULTILINE)
    assert copied[0] == "FROM " and copied[-1] == "CMD "


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and sdist, made of what lies here."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=REPOSITORY)
    return folder


def tracked(*folders: str) -> set[str]:
    return set(run("git", "-C", REPOSITORY, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders).split("\0")) - {""}


def test_wheel_and_sdist_hold_all_that_is_tracked(built: Path) -> None:
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    packages = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    wanted = {name.removeprefix(package.rpartition("/")[0] + "/") for package in packages for name in tracked(package)}
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert wanted == inside
    assert {"xboot/xboot.lock", "xboot_mirage/guest/README.md"} <= inside
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked("core", "plugins", "README.md", "LICENSE", "docs", "pyproject.toml") <= names


@pytest.mark.boot
def test_an_installed_wheel_boots(built: Path, tmp_path: Path) -> None:
    """In an environment of its own, made from the sdist: the guests are built from what was installed, not from this tree."""
    (sdist,) = built.glob("*.tar.gz")
    home = tmp_path / "env"
    run(sys.executable, "-m", "venv", "--without-pip", home)
    packages = next((home / "lib").glob("python3.*")) / "site-packages"
    alone = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "install", "--quiet", *alone, "--target", packages, sdist)
    others = next(Path(sys.prefix, "lib").glob("python3.*")) / "site-packages"
    (packages / "others.pth").write_text(f"{others}\n")  # the locked dependencies; a .pth among them (this tree's) is not followed
    env = stranger(XBOOT_STORE=str(tmp_path / "store"))
    xboot = [home / "bin" / "python", "-m", "xboot"]
    where = run(*xboot[:1], "-c", "import xboot, xboot_tccboot; print(xboot.__file__, xboot_tccboot.__file__)", cwd=tmp_path, env=env)
    assert len(where.split()) == 2 and all(Path(name).is_relative_to(packages) for name in where.split())
    hello = REPOSITORY / "examples" / "hello" / "recipe.toml"
    report = json.loads(run(*xboot, "run", "-q", "--json", "-b", "tccboot", hello, cwd=tmp_path, env=env))
    assert report["verdict"] == "built"
    assert report["outputs"][0]["narHash"].startswith("sha256-")
