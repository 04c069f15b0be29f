;;; Linux's system calls, x86_64, through one foreign function: libc's `syscall`.
;;;
;;; Guile has its own procedures for some of these, but they know no directory descriptors, follow links, or decode
;;; file names by the locale. Here names are strings of Latin-1 characters, one for each byte, and every call says
;;; what it does with links. Numbers are those of asm/unistd_64.h.
;;;
;;; (call name argument ...) -> result, or a negative errno      (must what name result) -> result, or the run fails

(define-module (xboot system)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-11)
  #:use-module (system foreign)
  #:export (call must set-failure! fail latin1 bytes->string write-all read-into look
            open-directory open-to-read make-directory directory-names out-byte
            AT_FDCWD NOFOLLOW EMPTY_PATH O_CREAT+EXCL
            kind-regular kind-directory kind-link vector-of-strings))

(define AT_FDCWD -100)
(define NOFOLLOW #x100)                 ;AT_SYMLINK_NOFOLLOW
(define EMPTY_PATH #x1000)
(define O_CREAT+EXCL #o300)
(define O_DIRECTORY #o200000)
(define O_ALWAYS #o2400000)             ;O_NOFOLLOW | O_CLOEXEC: with every open
(define kind-regular #o100000)
(define kind-directory #o040000)
(define kind-link #o120000)

(define numbers
  '((read . 0) (write . 1) (close . 3) (lseek . 8) (mmap . 9) (rt_sigaction . 13) (rt_sigprocmask . 14) (ioctl . 16)
    (dup2 . 33) (clone . 56) (execve . 59) (exit_group . 231) (wait4 . 61) (chdir . 80) (fchdir . 81) (umask . 95)
    (setuid . 105) (setgid . 106) (setsid . 112) (setgroups . 116) (personality . 135) (prctl . 157) (setrlimit . 160)
    (chroot . 161) (mount . 165) (umount2 . 166) (sethostname . 170) (ioperm . 173) (getdents64 . 217) (openat . 257)
    (mkdirat . 258) (mknodat . 259) (fchownat . 260) (unlinkat . 263) (renameat . 264) (symlinkat . 266)
    (readlinkat . 267) (fchmodat . 268) (utimensat . 280) (pipe2 . 293) (statx . 332)))

(define raw
  (pointer->procedure long (dynamic-func "syscall" (dynamic-link)) (make-list 7 long) #:return-errno? #t))

;; A bytevector goes as its address (the collector moves nothing), a string as a NUL-ended copy. `held` is looked at
;; after the call, so that the collector cannot take what the kernel is reading or writing.
(define (call* number held)
  (let ((address (lambda (x)
                   (if (bytevector? x) (pointer-address (bytevector->pointer x)) x))))
    (let-values (((result errno)
                  (apply raw number (map address held))))
      (if (pair? held)
          (if (= result -1) (- errno) result)
          result))))

(define (call name . arguments)
  (let ((held (map (lambda (x) (if (string? x) (latin1 x) x)) arguments)))
    (call* (assq-ref numbers name)
           (append held (make-list (- 6 (length held)) 0)))))

;; What to do about a failure is the channel's business; it says so here when it is loaded.
(define failure #f)
(define (set-failure! procedure) (set! failure procedure))
(define (fail kind . why) (failure kind (string-concatenate why)))

(define (must what name result)
  (if (< result 0)
      (fail (if (memv (- result) '(12 28)) "limit" "internal") ;ENOMEM, ENOSPC
            what " failed with error " (number->string (- result)) ": " name)
      result))

(define (latin1 s)
  (let* ((n (string-length s)) (bv (make-bytevector (+ n 1) 0)))
    (let loop ((i 0))
      (if (= i n)
          bv
          (begin (bytevector-u8-set! bv i (char->integer (string-ref s i)))
                 (loop (+ i 1)))))))

(define (bytes->string bv start end)
  (let ((s (make-string (- end start))))
    (let loop ((i start))
      (if (= i end)
          s
          (begin (string-set! s (- i start) (integer->char (bytevector-u8-ref bv i)))
                 (loop (+ i 1)))))))

;; 0 when all is written, otherwise the error.
(define (write-all fd bv end)
  (let loop ((at 0))
    (if (< at end)
        (let ((n (call* 1 (list fd (+ at (pointer-address (bytevector->pointer bv))) (- end at) 0 0 0))))
          (cond ((> n 0) (loop (+ at n)))
                ((memv n (list (- EINTR) (- EAGAIN))) (loop at))
                ((bytevector? bv) n)))  ;the bytevector is held until here
        0)))

(define (read-into fd bv)
  (let ((n (call 'read fd bv (bytevector-length bv))))
    (if (= n (- EINTR)) (read-into fd bv) n)))

;; What a name is, not following it: mode and size, or an errno and 0. (struct statx: mode at 28, size at 40.)
(define (look dir name)
  (let* ((buffer (make-bytevector 256))
         (result (call 'statx dir name NOFOLLOW #x7ff buffer)))
    (if (< result 0)
        (values result 0)
        (values (bytevector-u16-native-ref buffer 28) (bytevector-u64-native-ref buffer 40)))))

(define (open-directory dir name)
  (must "opening a folder" name (call 'openat dir name (logior O_DIRECTORY O_ALWAYS) 0)))

(define* (open-to-read dir name #:optional (flags 0) (mode 0))
  (call 'openat dir name (logior flags O_ALWAYS) mode))

;; mkdirat obeys the umask and may lose the sticky bit, so the mode is set once more.
(define (make-directory dir name mode)
  (must "making a folder" name (call 'mkdirat dir name mode))
  (must "setting a mode" name (call 'fchmodat dir name mode)))

;; The names in an open directory but `.` and `..`, in bytewise order.
(define (directory-names fd)
  (let ((buffer (make-bytevector 32768)))
    (call 'lseek fd 0 0)
    (let next ((names '()))
      (let ((n (must "listing a folder" "" (call 'getdents64 fd buffer (bytevector-length buffer)))))
        (if (= n 0)
            (sort names string<?)
            (let entry ((at 0) (names names)) ;struct linux_dirent64: length at 16, name from 19
              (if (>= at n)
                  (next names)
                  (let* ((start (+ at 19))
                         (end (let find ((i start)) (if (= 0 (bytevector-u8-ref buffer i)) i (find (+ i 1)))))
                         (name (bytes->string buffer start end)))
                    (entry (+ at (bytevector-u16-native-ref buffer (+ at 16)))
                           (if (member name '("." "..")) names (cons name names)))))))))))

;; argv and envp: a bytevector of addresses, and what they point to, which the caller must keep.
(define (vector-of-strings strings)
  (let* ((held (map latin1 strings))
         (table (make-bytevector (* 8 (+ 1 (length held))) 0)))
    (let loop ((i 0) (rest held))
      (unless (null? rest)
        (bytevector-u64-native-set! table (* 8 i) (pointer-address (bytevector->pointer (car rest))))
        (loop (+ i 1) (cdr rest))))
    (values table held)))

;; No system call writes to a port when the kernel lacks /dev/port, and Scheme has no such instruction. So this is
;; the one place with machine code: a page with `mov %edi,%edx; mov %esi,%eax; out %al,(%dx); ret`.
(define (out-byte port byte)
  (let* ((code #vu8(#x89 #xfa #x89 #xf0 #xee #xc3))
         (page (call 'mmap 0 4096 7 #x22 -1 0))) ;readable, writable, executable; private, anonymous
    (when (and (> page 0) (>= (call 'ioperm port 1 1) 0))
      (bytevector-copy! code 0 (pointer->bytevector (make-pointer page) 6) 0 6)
      ((pointer->procedure void (make-pointer page) (list int int)) port byte))))
