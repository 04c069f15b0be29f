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
  #:export (call must set-failure! fail permanent single-threaded! finalize! latin1 bytes->string write-all read-into look
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
    (pause . 34) (dup2 . 33) (clone . 56) (execve . 59) (exit_group . 231) (wait4 . 61) (chdir . 80) (fchdir . 81) (umask . 95)
    (setuid . 105) (setgid . 106) (setsid . 112) (setgroups . 116) (personality . 135) (prctl . 157) (setrlimit . 160)
    (chroot . 161) (mount . 165) (umount2 . 166) (sethostname . 170) (ioperm . 173) (getdents64 . 217) (clock_settime . 227) (socket . 41) (openat . 257)
    (mkdirat . 258) (mknodat . 259) (fchownat . 260) (unlinkat . 263) (renameat . 264) (symlinkat . 266)
    (readlinkat . 267) (fchmodat . 268) (utimensat . 280) (pipe2 . 293) (statx . 332)
    (close_range . 436)))

(define raw
  (pointer->procedure long (dynamic-func "syscall" (dynamic-link)) (make-list 7 long) #:return-errno? #t))

;; Buffers that calls read or fill again and again. Their addresses are asked for once, since asking is slow.
(define addresses (list #f))            ;then pairs of buffer and address
(define (permanent size)
  (let ((bv (make-bytevector size 0)))
    (set-cdr! addresses (acons bv (pointer-address (bytevector->pointer bv)) (cdr addresses)))
    bv))

(define (address bv) (or (assq-ref (cdr addresses) bv) (pointer-address (bytevector->pointer bv))))

(define room 16384)
(define names (permanent room))         ;where the names of one call stand, NUL-ended
(define names-at (address names))

;; `held` is looked at after the call, so that the collector cannot take what the kernel is reading or writing (it moves
;; nothing).
(define (call* number words held)
  (let-values (((result errno) (apply raw number words)))
    (if (and (= result -1) (list? held)) (- errno) result)))

;; Numbers go as they are, bytevectors as their addresses, strings as copies.
(define (call name . arguments)
  (let convert ((rest arguments) (used 0) (words '()) (held '()))
    (if (null? rest)
        (call* (assq-ref numbers name)
               (append (reverse words) (list-tail '(0 0 0 0 0 0) (length words)))
               held)
        (let ((x (car rest)))
          (cond
           ((not (string? x))
            (convert (cdr rest) used (cons (if (bytevector? x) (address x) x) words) (cons x held)))
           ((<= (+ used (string-length x) 1) room)
            (let ((end (put-latin1! x names used)))
              (convert (cdr rest) end (cons (+ names-at used) words) held)))
           (else (convert (cons (latin1 x) (cdr rest)) used words held)))))))

;; Guile runs finalizers in a thread of its own. A process that is cloned while that thread holds a lock waits for it for
;; ever, so there must be no other thread: finalizers are run by (finalize!), when the executor says so.
(define scheme-library (dynamic-link))
(define (single-threaded!)
  ((pointer->procedure int (dynamic-func "scm_set_automatic_finalization_enabled" scheme-library) (list int)) 0))
(define finalize! (pointer->procedure int (dynamic-func "scm_run_finalizers" scheme-library) '()))

;; What to do about a failure is the channel's business; it says so here when it is loaded.
(define failure #f)
(define (set-failure! procedure) (set! failure procedure))
(define (fail kind . why) (failure kind (string-concatenate why)))

(define (must what name result)
  (if (< result 0)
      (fail (if (memv (- result) '(12 28)) "limit" "internal") ;ENOMEM, ENOSPC
            what " failed with error " (number->string (- result)) ": " name)
      result))

;; Writes `s`, one byte for each character, and a NUL; the place after it.
(define (put-latin1! s bv at)
  (let ((n (string-length s)))
    (let loop ((i 0))
      (if (= i n)
          (begin (bytevector-u8-set! bv (+ at n) 0)
                 (+ at n 1))
          (begin (bytevector-u8-set! bv (+ at i) (char->integer (string-ref s i)))
                 (loop (+ i 1)))))))

(define (latin1 s)
  (let ((bv (make-bytevector (+ 1 (string-length s)))))
    (put-latin1! s bv 0)
    bv))

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
        (let ((n (call* 1 (list fd (+ at (address bv)) (- end at) 0 0 0) (list bv))))
          (cond ((> n 0) (loop (+ at n)))
                ((memv n (list (- EINTR) (- EAGAIN))) (loop at))
                (else n)))
        0)))

(define (read-into fd bv)
  (let ((n (call 'read fd bv (bytevector-length bv))))
    (if (= n (- EINTR)) (read-into fd bv) n)))

;; What a name is, not following it: mode and size, or an errno and 0. (struct statx: mode at 28, size at 40.)
(define statx (permanent 256))
(define (look dir name)
  (let ((result (call 'statx dir name NOFOLLOW #x7ff statx)))
    (if (< result 0)
        (values result 0)
        (values (bytevector-u16-native-ref statx 28) (bytevector-u64-native-ref statx 40)))))

(define (open-directory dir name)
  (must "opening a folder" name (call 'openat dir name (logior O_DIRECTORY O_ALWAYS) 0)))

(define* (open-to-read dir name #:optional (flags 0) (mode 0))
  (call 'openat dir name (logior flags O_ALWAYS) mode))

;; mkdirat obeys the umask and may lose the sticky bit, so the mode is set once more.
(define (make-directory dir name mode)
  (must "making a folder" name (call 'mkdirat dir name mode))
  (must "setting a mode" name (call 'fchmodat dir name mode)))

;; The names in an open directory but `.` and `..`, in bytewise order.
(define entries (permanent 32768))
(define (directory-names fd)
  (let ((buffer entries))
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
