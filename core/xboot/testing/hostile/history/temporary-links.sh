# CVE: CVE-2026-39860
# Wins: the executor writes a fixed output, or its copy, through a link that the builder laid where the copy would be
# Verdict: ok
# Output: ok
# Fixed: flat
# Then: [ "$(head -n 1 $script)" = "# CVE: CVE-2026-39860" ] || exit 20; $bb/bin/busybox true || exit 21; [ "$(cat $first)" = ok ] || exit 22; echo ok > $out
base=${out##*/}
for name in $out.tmp $out.new $out.lock $out.check $out.chroot $out- $out~ $out.drv /nix/store/.$base /nix/store/tmp /nix/store/.tmp /nix/store/.links /nix/store/trash \
    /nix/store/tmp-$base /tmp/$base /tmp/out ./out ./$base ./output /out; do
    ln -s $script $name 2>/dev/null
done
ln -s $bb/bin/busybox $out.part 2>/dev/null
rm -f $out; ln -s $script $out; rm $out; echo ok > $out
