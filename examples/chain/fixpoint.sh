# Succeeds only when the trees given are the same: the same names, the same bytes. Leaves the checksum-free list of what was compared in $out.
set -eu
first=$1
shift
(cd $first && find . -type f | sort) > names
for other in "$@"; do
    (cd $other && find . -type f | sort) > other-names
    cmp names other-names
    while read -r name; do
        cmp $first/$name $other/$name
    done < names
done
cp names $out
