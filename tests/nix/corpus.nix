# Derivations that nix and xboot must build to the same bits. No nixpkgs: the builder is a static busybox tree given as `busybox`
# (a folder with bin/sh and applets), so that nothing but this file decides what is built.
{ busybox, system, url, urlHash, recursiveHash }:
let
  bb = builtins.path { path = busybox; name = "busybox"; };
  sh = name: script: more: derivation ({
    inherit name system;
    builder = "${bb}/bin/sh";
    args = [ "-e" "-c" "export PATH=${bb}/bin; ${script}" ];
  } // more);
  tree = builtins.path { path = ./tree; name = "tree"; };
  note = builtins.toFile "note" "a text file that mentions ${tree} and nothing else\n";
  fetched = import <nix/fetchurl.nix> { inherit url; sha256 = urlHash; };
  base = sh "base" "echo base > $out" { };
  lib = sh "lib" "mkdir -p $out/lib; echo code > $out/lib/lib.a; echo ${bb} > $out/lib/ref" { };
  # forty nodes, each of which depends on the two before it: every path through it meets the same bits
  diamond = n: if n < 2 then sh "diamond-${toString n}" "echo ${toString n} > $out" { }
    else sh "diamond-${toString n}" "cat ${builtins.elemAt diamonds (n - 1)} ${builtins.elemAt diamonds (n - 2)} | md5sum > $out; echo ${toString n} >> $out" { };
  diamonds = builtins.genList diamond 40;
in {
  plain = base;
  text = sh "text" "printf 'hello\\n' > $out" { };
  multiple = sh "multiple" "mkdir $out $dev $doc; echo lib > $out/lib; echo $out > $dev/h; ln -s $dev $doc/dev" { outputs = [ "out" "dev" "doc" ]; };
  first-not-out = sh "first-not-out" "mkdir $bin $out; echo b > $bin/b; echo $bin > $out/o" { outputs = [ "bin" "out" ]; };
  only-lib = sh "only-lib" "echo l > $lib" { outputs = [ "lib" ]; };
  flat-fixed = sh "flat-fixed" "printf fixed > $out" { outputHashMode = "flat"; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "fixed"; };
  recursive-fixed = sh "recursive-fixed" "mkdir $out; echo content > $out/file" { outputHashMode = "recursive"; outputHashAlgo = "sha256"; outputHash = recursiveHash; };
  pass-as-file = sh "pass-as-file" "cat $bigPath > $out; echo $bigPath >> $out; echo $small >> $out; env | grep '^big' >> $out" { passAsFile = [ "big" ]; big = "line one\nline 'two'\n"; small = "s"; };
  structured = derivation {
    name = "structured"; inherit system; builder = "${bb}/bin/sh"; __structuredAttrs = true; outputs = [ "out" "dev" ];
    args = [ "-e" "-c" "export PATH=${bb}/bin; o=$(sed -n 's/.*\"out\":\"\\([^\"]*\\)\".*/\\1/p' .attrs.json); d=$(sed -n 's/.*\"dev\":\"\\([^\"]*\\)\".*/\\1/p' .attrs.json); mkdir $o; cp .attrs.json .attrs.sh $o/; ls -A > $o/ls; env | grep -v ^NIX_ATTRS | sort > $o/env; echo dev > $d" ];
    list = [ "a" "b c" "it's" ]; number = 42; float = 1.5; whole = 2.0; yes = true; no = false; nothing = null; unicode = "ümlaut €"; set = { x = "1"; y = [ 1 2 ]; }; flat = { "k e" = "v'"; j = 3; }; "odd-name" = 1; path = bb;
  };
  graph = sh "graph" "cat closure > $out; cat second >> $out" { exportReferencesGraph = [ "closure" lib "second" note ]; };
  self-reference = sh "self-reference" "mkdir $out; echo $out > $out/self; echo ${base} > $out/other" { };
  odd-names = sh "odd-names" ''mkdir -p "$out/a b" "$out/-x"; echo 1 > "$out/a b/c	d"; echo 2 > "$out/$(printf 'new\nline')"; echo 3 > "$out/$(printf '\303\251\377')"; echo 4 > "$out/a.b"; echo 5 > "$out/a"; echo 6 > "$out/ab"; echo 7 > "$out/-x/*?"'' { };
  modes = sh "modes" "mkdir $out; cd $out; for m in 000 400 444 555 644 700 755 777 111 010 001; do echo $m > f$m; chmod $m f$m; done; mkdir d; echo x > d/x; chmod 500 d; mkdir e; chmod 1777 e" { };
  symlink-output = sh "symlink-output" "ln -s ${base} $out" { };
  dangling-output = sh "dangling-output" "ln -s /no/such/place $out" { };
  executable-output = sh "executable-output" "printf '#!/bin/sh\\n' > $out; chmod +x $out" { };
  empty-directory = sh "empty-directory" "mkdir $out" { };
  empty-file = sh "empty-file" ": > $out" { };
  hard-links = sh "hard-links" "mkdir $out; echo l > $out/a; ln $out/a $out/b; chmod +x $out/b" { };
  diamond = builtins.elemAt diamonds 39;
  environment = sh "environment" "env | sort > $out" { FOO = "bar"; EMPTY = ""; quote = "a\"b'c\\d"; newline = "a\nb"; HOME = "/mine"; TERM = "dumb"; TMPDIR = "/elsewhere"; };
  etc = sh "etc" "cat /etc/passwd /etc/group /etc/hosts > $out; ls /etc >> $out; ls / >> $out" { };
  identity = sh "identity" "id -u > $out; id -g >> $out; umask >> $out; pwd >> $out; hostname >> $out; echo $$ >> $out; uname -m >> $out; ls -ld /build | cut -c1-10 >> $out; cat < /proc/self/fd/0 >> $out" { };
  placeholders = sh "placeholders" "mkdir -p $out; echo ${builtins.placeholder "out"} > $out/arg; echo $via >> $out/arg" { via = builtins.placeholder "out"; };
  allowed = sh "allowed" "echo ${base} > $out" { allowedReferences = [ base ]; };
  big = sh "big" "yes 0123456789abcdef | head -c 5242880 > $out" { };
  many-files = sh "many-files" "mkdir $out; cd $out; i=0; while [ $i -lt 2000 ]; do echo $i > f$i; i=$((i+1)); done" { };
  arguments = derivation { name = "arguments"; inherit system; builder = "${bb}/bin/sh"; args = [ "-c" "for a; do echo \"<$a>\"; done > $out" "zero" "a b" "" "new\nline" "quo\"te" "back\\slash" "tab\there" ] ++ builtins.genList (n: "arg${toString n}") 500; };
  text-source = sh "text-source" "cat ${note} > $out" { };
  tree-source = sh "tree-source" "cp -r ${tree} $out; chmod -R u+w $out; ls -R ${tree} >> $out/listing" { };
  fetch = sh "fetch" "cat ${fetched} > $out" { };
  deep = sh "deep" "p=$out; mkdir $p; i=1; while [ $i -lt 63 ]; do p=$p/d; mkdir $p; i=$((i+1)); done; echo bottom > $p/f" { };
  user-output = sh "user-output" "mkdir $out; touch -t 203001010000 $out/future; echo x > $out/.hidden" { };
  background = sh "background" "sleep 1000 & echo done > $out" { };
}
