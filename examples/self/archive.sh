# The payload of hello: what core/xboot/package/payload.py packs. The executor that was compiled here is /init; script and seed are hello's.
set -eu
{
    echo 'dir 755 dev'
    echo 'chr 600 5 1 dev/console'
    echo 'chr 600 1 1 dev/mem'
    echo 'chr 666 1 3 dev/null'
    echo 'chr 600 1 4 dev/port'
    echo 'chr 600 4 65 dev/ttyS1'
    echo "file 555 init $executor"
    echo 'dir 755 xboot'
    echo "file 444 xboot/script $script"
    echo 'dir 755 xboot/store'
    # A folder before what is in it, names in the order of their bytes: a slash sorts before every other character then.
    find $seed | tr / '\001' | sort | tr '\001' / | while read -r path; do
        name=xboot/store/${path#/nix/store/}
        if [ -h $path ]; then
            echo "link $name $($busybox readlink $path)"
        elif [ -d $path ]; then
            echo "dir 555 $name"
        elif [ -x $path ]; then
            echo "file 555 $name $path"
        else
            echo "file 444 $name $path"
        fi
    done
} > list
$newc < list > payload
cat payload > $out
