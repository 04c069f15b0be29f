# The executor, a static program: as core/xboot/guest/build.py compiles it, the entry first, inside the folder and by bare names.
set -eu
cp $source/* .
objects=
for file in start-i386.S *.c; do
    own=${file%.c}-i386.S # what there is in assembly for this processor takes the place of the same in C
    if [ -e "$own" ]; then file=$own; fi
    object=${file%.*}.o
    $tcc -nostdlib -nostdinc -Wall -Werror -c $file -o $object
    objects="$objects $object"
done
$tcc -nostdlib -static $objects -o executor
cat executor > $out
