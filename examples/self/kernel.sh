# The kernel as the image has it: its sources, which the loader compiles at every boot, in the archive that plugins/tccboot's kernel.py packs.
set -eu
mkdir tree
cp -r $kernel tree/kernel
cp -r $personality tree/personality
cp -r $i386 tree/i386
cp $source/lib/libtcc1.c tree/libtcc1.c
cd tree
{
    echo 'name the xboot kernel'
    echo 'offset 80000000'
    for option in -nostdlib -nostdinc -static -I. -Ipersonality -Wl,-Ttext=0x80100000; do
        echo "option $option"
    done
    echo 'file kernel/entry.S' # the multiboot header comes first
    for file in i386/*.S i386/personality.c kernel/kernel.c; do # the two units include all other C files
        echo "file $file"
    done
    echo 'file libtcc1.c'
} > manifest
for file in manifest i386/*.[chS] kernel/*.[chS] libtcc1.c personality/*.[ch]; do
    echo "file 444 $file $file"
done | $newc > ../kernel.cpio
cat ../kernel.cpio > $out
