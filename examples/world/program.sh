# Programs of packages that are not in the merged tree: run by that tree's loader, with its libraries and those of $2 if it is given. with_program FILE [LIBRARIES]
mkdir tools
export PATH=$PWD/tools:$PATH
with_program() {
    printf '#!%s\nexec %s --library-path %s %s "$@"\n' $SHELL $L/ld-linux*.so.2 $L:$U:$2 $1 > tools/${1##*/}
    chmod +x tools/${1##*/}
}
