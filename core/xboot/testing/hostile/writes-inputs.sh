# Wins: inputs change under a later step's feet
# Verdict: ok
# Then: [ -e $bb/bin/evil ] && exit 16; echo ok > $out
echo evil > $bb/bin/evil && exit 10; chmod u+w $bb/bin && exit 11; mv $bb /tmp/x && exit 12; rm -rf $bb 2>/dev/null; [ -e $bb/bin/sh ] || exit 13
ln $bb/bin/busybox /tmp/link && exit 14; mv /nix/store /nix/other && exit 15; echo ok > $out
