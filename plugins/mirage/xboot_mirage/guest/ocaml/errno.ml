(* Linux error numbers. A system call ends early by raising [Error]. *)
exception Error of int
let fail e = raise (Error e)
let eperm = 1 and enoent = 2 and esrch = 3 and eintr = 4 and eio = 5 and enxio = 6 and e2big = 7 and enoexec = 8
and ebadf = 9 and echild = 10 and eagain = 11 and enomem = 12 and eacces = 13 and efault = 14 and ebusy = 16
and eexist = 17 and exdev = 18 and enodev = 19 and enotdir = 20 and eisdir = 21 and einval = 22 and enfile = 23 and emfile = 24
and enotty = 25 and etxtbsy = 26 and efbig = 27 and enospc = 28 and espipe = 29 and erofs = 30 and emlink = 31 and epipe = 32
and edom = 33 and erange = 34 and enametoolong = 36 and enosys = 38 and eidrm = 43 and enotempty = 39 and eloop = 40 and enodata = 61
and eoverflow = 75 and enotsup = 95 and eafnosupport = 97 and etimedout = 110
