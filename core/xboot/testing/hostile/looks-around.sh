# Wins: inputs that the derivation does not declare, the script, other steps' outputs
# Verdict: ok
for f in /xboot /init /nix/store/.links /proc/1/root/xboot; do [ -e $f ] && { echo "sees $f"; exit 10; }; done
for f in /nix/store/*; do case $f in $bb|$script|$out) ;; *) echo "sees $f"; exit 11;; esac; done
grep xboot /proc/mounts 2>/dev/null && exit 12
cd /; for i in 1 2 3 4 5 6 7 8; do cd ..; done; [ -e xboot ] && exit 13
echo ok > $out
