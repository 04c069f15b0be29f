# Builders that neither nix nor xboot may take for a success.
{ busybox, system }:
let
  bb = builtins.path { path = busybox; name = "busybox"; };
  sh = name: script: derivation { inherit name system; builder = "${bb}/bin/sh"; args = [ "-c" "export PATH=${bb}/bin; ${script}" ]; };
in {
  fails = sh "fails" "echo about to fail; exit 3";
  no-output = sh "no-output" "echo nothing to see";
  not-started = derivation { name = "not-started"; inherit system; builder = "${bb}/bin/nothing"; };
  fifo-at-out = sh "fifo-at-out" "mkfifo $out";
}
