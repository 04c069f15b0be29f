# nix run ./nix -- doctor
{
  description = "Boot a Nix or Guix derivation's whole build graph on very small kernels, and verify every hash";

  inputs.nixpkgs.url = "nixpkgs";

  outputs =
    { self, nixpkgs }:
    let
      system = "x86_64-linux";
      xboot = nixpkgs.legacyPackages.${system}.callPackage ./package.nix { };
    in
    {
      packages.${system} = {
        inherit xboot;
        default = xboot;
      };
      apps.${system}.default = {
        type = "app";
        program = "${xboot}/bin/xboot";
      };
    };
}
