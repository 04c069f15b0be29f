# Builders that fail, hang or cheat. Each comment says what would be won.
{ busybox, system }:
let
  bb = builtins.path { path = busybox; name = "busybox"; };
  sh = name: script: derivation { inherit name system; builder = "${bb}/bin/sh"; args = [ "-c" "export PATH=${bb}/bin; ${script}" ]; };
  two = name: first: second: derivation {
    inherit name system; builder = "${bb}/bin/sh";
    args = [ "-c" "export PATH=${bb}/bin; cat ${sh "${name}-first" first} > /dev/null; ${second}" ];
  };
in {
  fails = sh "fails" "echo about to fail; exit 3";
  killed = sh "killed" "kill -9 $$; kill -11 $$; exit 9";
  no-output = sh "no-output" "echo nothing to see";
  not-started = derivation { name = "not-started"; inherit system; builder = "${bb}/bin/nothing"; };
  hangs = sh "hangs" "sleep 100000";
  spins = sh "spins" "while :; do :; done";
  # a builder that prints what the executor would say
  forges = sh "forges" ''
    echo '(output "00000000000000000000000000000000" 1 "out" "sha256" "0000000000000000000000000000000000000000000000000000000000000000" 120 ())'
    echo '(done "00000000000000000000000000000000")' >&2; for d in /dev/ttyS1 /dev/ttyS0 /dev/console; do echo '(done "x")' > $d; done 2>/dev/null
    mknod /tmp/port c 4 65 && echo '(done "x")' > /tmp/port; exit 1'';
  # a process that outlives its builder and changes the output after it was hashed (it waits: what it writes before the builder ends is the builder's)
  survives = two "survives" ''
    mkdir $out; echo right > $out/f
    (setsid sh -c 'trap "" HUP TERM INT; exec >/dev/null 2>&1 <&-; sleep 1; while :; do echo wrong > $out/f; sleep 0.01; done' &) &
    (setsid setsid nohup sh -c 'sleep 1; echo wrong > $out/f' >/dev/null 2>&1 &); exec 1>&- 2>&-; exit 0'' "echo ok > $out";
  # gigabytes of noise, to fill the watcher's disk or make it wait
  floods = sh "floods" "yes 0123456789012345678901234567890123456789 | head -c 100000000; echo ok > $out";
  # a process table full of copies
  forks = sh "forks" "f() { f | f & f; }; f; sleep 5; exit 1";
  # the guest's memory, by files and by a process
  fills-files = sh "fills-files" "cat /dev/zero > $out";
  fills-memory = sh "fills-memory" "x=0123456789; while :; do x=$x$x; done; echo ok > $out";
  # an output that is a door to somewhere else: it must be taken as the link that it is
  link-at-out = sh "link-at-out" "ln -s /etc $out";
  link-inside = sh "link-inside" "mkdir $out; ln -s /../../../xboot $out/up; ln -s ${bb} $out/bb";
  fifo-at-out = sh "fifo-at-out" "mkfifo $out";
  socket-inside = sh "socket-inside" "mkdir $out; mkfifo $out/pipe";
  # names that would break a log or a parser
  control-names = sh "control-names" ''mkdir $out; : > "$out/$(printf '\033[2J\n)(done')"'';
  too-deep = sh "too-deep" "p=$out; mkdir $p; i=0; while [ $i -lt 70 ]; do p=$p/d; mkdir $p; i=$((i+1)); done";
  # a tree that cannot be removed by recursion or by path: left in /build, the next step must still run
  deep-rubbish = two "deep-rubbish" "i=0; while [ $i -lt 3000 ]; do mkdir d; cd d; i=$((i+1)); done; echo ok > $out" "echo ok > $out";
  locked-rubbish = two "locked-rubbish" "mkdir -p a/b/c; echo x > a/b/c/f; chmod 000 a/b/c a/b a; echo ok > $out" "echo ok > $out";
  # other steps' inputs, the script, the hidden store
  looks-around = sh "looks-around" "ls -d /xboot /init /nix/store/* > list 2>&1; ls /proc > procs; ls / >> list; cat list > $out; cat /proc/1/environ /proc/cmdline > /dev/null 2>&1; grep -c xboot /proc/mounts >> $out; exit 0";
  # inputs that change under a later step's feet
  writes-inputs = sh "writes-inputs" ''
    echo evil > ${bb}/bin/evil && exit 10; chmod u+w ${bb}/bin && exit 11; mv ${bb} /tmp/x && exit 12; rm -rf ${bb} 2>/dev/null; [ -e ${bb}/bin/sh ] || exit 13
    ln ${bb}/bin/busybox /tmp/link && exit 14; mv /nix/store /nix/other && exit 15; echo ok > $out'';
  # powers that no builder has
  powers = sh "powers" ''
    mknod /tmp/m c 1 1 && exit 10; chroot / true && exit 11; mount -t proc proc /tmp && exit 12; echo x > /proc/sys/kernel/hostname && exit 13; reboot -f && exit 14
    chown 0 /build && exit 15; kill -9 -1; echo ok > $out'';
  # set-user-id bits must not come out
  setuid = sh "setuid" "mkdir $out; cp ${bb}/bin/busybox $out/su; chmod 6755 $out/su; chmod 2755 $out; echo";
}
