# xboot as a package of nixpkgs. `nix-build -E '(import <nixpkgs> { }).callPackage ./nix/package.nix { }'`
{
  lib,
  python3Packages,
  makeWrapper,
  qemu,
  bubblewrap,
}:

python3Packages.buildPythonApplication {
  pname = "xboot";
  inherit ((lib.importTOML ../pyproject.toml).project) version;
  pyproject = true;

  src = lib.fileset.toSource {
    root = ../.;
    # What the sdist has: pyproject.toml says the same.
    fileset = lib.fileset.unions [
      ../core
      ../plugins
      ../docs
      ../README.md
      ../LICENSE
      ../pyproject.toml
    ];
  };

  build-system = [ python3Packages.hatchling ];

  # Those of pyproject.toml, by nixpkgs' names; a test holds both together.
  dependencies = with python3Packages; [
    cryptography # securesystemslib[crypto]
    cyclonedx-python-lib
    filelock
    httpx
    in-toto-attestation
    jinja2
    platformdirs
    pluggy
    pydantic
    pyelftools
    pygount
    qemu-qmp
    rich
    securesystemslib
    typer
  ];

  # The suite needs kernels, nix and Debian's packages; `xboot doctor` says what is missing here.
  doCheck = false;
  pythonImportsCheck = [ "xboot" ];

  # QEMU boots what was built, bubblewrap confines it.
  nativeBuildInputs = [ makeWrapper ];
  makeWrapperArgs = [
    "--prefix"
    "PATH"
    ":"
    (lib.makeBinPath [
      qemu
      bubblewrap
    ])
  ];

  meta = {
    description = "Boot a Nix or Guix derivation's whole build graph on very small kernels, and verify every hash";
    license = lib.licenses.gpl3Plus;
    mainProgram = "xboot";
    platforms = [ "x86_64-linux" ];
  };
}
