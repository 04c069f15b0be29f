# Verdict: ok
# The hash part of busybox across the border of a block, a link to the output itself; and what only looks like a hash part of the script.
mkdir $out
h=${bb#/nix/store/}; h=$(printf %.32s $h)
head -c 65530 /dev/zero > $out/block; printf $h >> $out/block
ln -s $out $out/me
s=${script#/nix/store/}
printf %.31s $s > $out/short; printf %.32s $s | tr a-z A-Z > $out/upper; printf %.16s $s > $out/split; printf '\0' >> $out/split; printf %.32s $s | tail -c 16 >> $out/split
