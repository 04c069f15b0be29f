# zlib: ./configure, make, make check (static and shared), make install.
. $common
./configure --prefix=$out
make SHELL=$SHELL
make SHELL=$SHELL check
make SHELL=$SHELL install
