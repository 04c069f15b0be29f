# Lua: make, and a program of its own.
. $common
make SHELL=$SHELL CC="$CC -std=gnu99" posix
./src/lua -e 'local t = {} for i = 1, 100000 do t[i] = i * i end print(#t, t[1000]) print(select(2, pcall(error, "e")))'
mkdir -p $out/bin
cp src/lua src/luac $out/bin
