;;; The executor: checks the sources, runs the steps one after the other, reports (docs/contract.md, section 4).
;;;
;;; (boot)                       in a guest, as process 1: everything is under /xboot
;;; (run-by-hand script folder)  as root on any machine: FOLDER/store holds the sources
;;;
;;; "Only the declared inputs are visible" needs no mounts: the store paths that a step may see are *moved* from the
;;; hidden store into the step's root by rename, and back afterwards. The step's store folder is sticky and belongs to
;;; root, as do the paths in it, so a builder can add to it but neither move nor change what is there.
;;;
;;;   BASE/store   the hidden store: sources, then also the outputs of finished steps
;;;   BASE/root    the current step's root; gone between steps
;;;   BASE/trash   while a step's root is removed

(define-module (xboot executor)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-11)
  #:use-module (system foreign)
  #:use-module (xboot channel)
  #:use-module (xboot nar)
  #:use-module (xboot script)
  #:use-module (xboot sha256)
  #:use-module (xboot system)
  #:export (boot run-by-hand))

(define uid 1000)
(define gid 100)
(define most-output (ash 1 20))         ;bytes that one step may print
(define most-processes 1024)            ;of one builder, so that a fork bomb ends
(define guest? #f)
(define base "/xboot")
(define base-fd #f)
(define hidden-store #f)
(define references (make-hash-table))   ;every store path there is so far -> the paths it refers to

(define (must-call what name . arguments) (must what name (apply call arguments)))
(define (sorted paths) (sort paths string<?))
(define (add-each list set) (for-each (lambda (x) (hash-set! set x #t)) list))

;; The closure of `paths` under references, in bytewise order.
(define (closure paths)
  (let ((seen (make-hash-table)))
    (let visit ((todo paths))
      (unless (null? todo)
        (let ((path (car todo)))
          (if (hash-ref seen path)
              (visit (cdr todo))
              (begin
                (hash-set! seen path #t)
                (visit (append (hash-ref references path '()) (cdr todo))))))))
    (sorted (hash-map->list (lambda (path _) path) seen))))

(define (move-paths paths from to)
  (for-each (lambda (path)
              (must-call "moving a store path" path 'renameat from (store-name path) to (store-name path)))
            paths))

;;; removing hostile trees: in constant depth and without long paths. Folders inside folders are moved up into the
;;; trash and emptied there.

(define (remove-tree name)
  (define serial 0)
  (define (empty dir)                   ;everything in `dir`, folders by way of the trash
    (let ((names (directory-names dir)))
      (for-each
       (lambda (entry)
         (when (< (call 'unlinkat dir entry 0) 0)
           (when (< (call 'unlinkat dir entry #x200) 0) ;AT_REMOVEDIR
             (set! serial (+ serial 1))
             ;; a folder that moves gets another parent, so it must be writable for its owner: root may
             (must-call "removing" entry 'renameat dir entry trash (number->string serial)))))
       names)))
  (must-call "making a folder" "trash" 'mkdirat base-fd "trash" #o700)
  (define trash (open-directory base-fd "trash"))
  (must-call "removing" name 'renameat base-fd name trash "0")
  (let again ()
    (let ((names (directory-names trash)))
      (unless (null? names)
        (for-each (lambda (entry)
                    (let ((fd (open-directory trash entry)))
                      (empty fd)
                      (call 'close fd)
                      (must-call "removing" entry 'unlinkat trash entry #x200)))
                  names)
        (again))))
  (call 'close trash)
  (must-call "removing" "trash" 'unlinkat base-fd "trash" #x200))

;;; the root of a step

(define (make-device root name major minor)
  (must-call "making a device" name 'mknodat root name #o20666 (logior (ash major 8) minor))
  (must-call "setting a mode" name 'fchmodat root name #o666))

;; The folders above `path` that are missing; `made` is called with each that was made.
(define (make-parents root path made)
  (let loop ((at (string-index path #\/ 1)))
    (when at
      (let* ((part (substring path 1 at)) (result (call 'mkdirat root part #o755)))
        (when (>= result 0) (made part))
        (loop (string-index path #\/ (+ at 1)))))))

(define (give-builder root name)
  (must-call "setting an owner" name 'fchownat root name uid gid NOFOLLOW))

(define (write-file root path content)
  (make-parents root path (lambda (part) (give-builder root part)))
  (let* ((name (substring path 1))
         (fd (must "writing a file of the step" path (open-to-read root name (logior O_WRONLY O_CREAT+EXCL) #o600))))
    (must "writing a file of the step" path (write-all fd (latin1 content) (string-length content)))
    (call 'close fd)
    (must-call "setting a mode" path 'fchmodat root name #o644)
    (give-builder root name)))

(define (graph-text paths)              ;path, no deriver, number of references, references
  (string-concatenate
   (map (lambda (path)
          (let ((refs (sorted (hash-ref references path))))
            (string-append path "\n\n" (number->string (length refs)) "\n"
                           (string-concatenate (map (lambda (r) (string-append r "\n")) refs)))))
        (closure paths))))

;; The same date for each step, whatever came before it, and later than any file that it may unpack. By hand there is
;; no guest, and the machine's clock is not ours.
(define date 1893456000)                ;2030-01-01 00:00:00 UTC (docs/contract.md)
(define (set-clock)
  (let ((time (make-bytevector 16 0)))
    (bytevector-s64-native-set! time 0 date)
    (must-call "setting the clock" "" 'clock_settime 0 time))) ;CLOCK_REALTIME

(define (make-root step store visible)
  (make-directory base-fd "root" #o755)
  (let ((root (open-directory base-fd "root")) (cwd (car (clause step 'cwd))))
    (make-parents root store (const #t)) ;of root: no builder can put another store in its place
    (make-directory root (substring store 1) #o1777)
    (make-directory root "dev" #o755)
    (make-directory root "dev/shm" #o1777) ;shm_open and sem_open make files here
    (make-directory root "dev/pts" #o755)
    (for-each (lambda (d) (apply make-device root d))
              '(("dev/null" 1 3) ("dev/zero" 1 5) ("dev/full" 1 7) ("dev/random" 1 8) ("dev/urandom" 1 9) ("dev/tty" 5 0)))
    (for-each (lambda (link) (must-call "making a link" (cadr link) 'symlinkat (car link) root (cadr link)))
              '(("/dev/pts/ptmx" "dev/ptmx") ("/proc/self/fd" "dev/fd") ("/proc/self/fd/0" "dev/stdin")
                ("/proc/self/fd/1" "dev/stdout") ("/proc/self/fd/2" "dev/stderr")))
    (make-directory root "proc" #o555)
    (make-directory root "tmp" #o1777)
    (make-parents root cwd (lambda (part) (give-builder root part)))
    (make-directory root (substring cwd 1) #o700)
    (give-builder root (substring cwd 1))
    (let ((step-store (open-directory root (substring store 1))))
      (move-paths visible hidden-store step-store)
      (for-each (lambda (file) (write-file root (car file) (cadr file))) (clause step 'files))
      (for-each (lambda (graph)
                  (for-each (lambda (path)
                              (unless (member path visible)
                                (fail "internal" "malformed script: a graph of a path that is no input: " path)))
                            (cdr graph))
                  (write-file root (car graph) (graph-text (cdr graph))))
                (clause step 'graphs))
      (values root step-store))))

;;; the builder

(define CLONE_NEWPID #x20000000)
(define CLONE_NEWIPC #x08000000)
(define CLONE_NEWNET #x40000000)
(define CLONE_NEWUTS #x04000000)

(define (limit resource value)
  (let ((both (make-bytevector 16)))
    (bytevector-u64-native-set! both 0 value)
    (bytevector-u64-native-set! both 8 value)
    (call 'setrlimit resource both)))

;; The filter of a builder's system calls, that of nix's sandbox, as a program of Linux's filter machine: a mode that would
;; make a program run with its owner's powers answers EPERM, setting an extended attribute ENOTSUP. Each part is an
;; architecture, a number, and the argument that is the mode; when it is another call, the program goes on behind the part.
(define filtered
  (let ((x86-64 #xc000003e) (i386 #x40000003))
    `((,x86-64 90 1) (,x86-64 91 1) (,x86-64 268 2) (,x86-64 452 2) ;chmod, fchmod, fchmodat, fchmodat2
      (,i386 15 1) (,i386 94 1) (,i386 306 2) (,i386 452 2)
      (,x86-64 188 #f) (,x86-64 189 #f) (,x86-64 190 #f) (,x86-64 463 #f) ;setxattr and its kin
      (,i386 226 #f) (,i386 227 #f) (,i386 228 #f) (,i386 463 #f))))

(define filter-program                  ;of (code, skip if true, skip if false, value)
  (append
   (append-map
    (lambda (call)
      (let* ((mode (caddr call))
             (act (if mode
                      `((#x20 0 0 ,(+ 16 (* 8 mode))) (#x45 0 1 #o6000) (6 0 0 #x50001)) ;EPERM
                      '((6 0 0 #x5005f))))  ;ENOTSUP
             (rest (length act)))
        `((#x20 0 0 4) (#x15 0 ,(+ 2 rest) ,(car call)) (#x20 0 0 0) (#x15 0 ,rest ,(cadr call)) ,@act)))
    filtered)
   '((6 0 0 #x7fff0000))))              ;everything else passes

(define filter-bytes
  (let ((bytes (make-bytevector (* 8 (length filter-program)))))
    (for-each (lambda (one at)
                (bytevector-u16-native-set! bytes at (car one))
                (bytevector-u8-set! bytes (+ at 2) (cadr one))
                (bytevector-u8-set! bytes (+ at 3) (caddr one))
                (bytevector-u32-native-set! bytes (+ at 4) (cadddr one)))
              filter-program (iota (length filter-program) 0 8))
    bytes))

(define (filter-calls)                  ;-EINVAL: the kernel has no filters
  (let ((both (make-bytevector 16 0)))
    (bytevector-u16-native-set! both 0 (length filter-program))
    (bytevector-u64-native-set! both 8 (pointer-address (bytevector->pointer filter-bytes)))
    (call 'prctl 22 2 both)))

;; A network of the step's own leads nowhere, but it has a loopback; a kernel without networks has none.
(define (raise-loopback)
  (let ((fd (call 'socket 2 2 0)) (request (make-bytevector 40 0))) ;AF_INET, SOCK_DGRAM
    (when (>= fd 0)
      (bytevector-u8-set! request 0 108) ;the name: lo
      (bytevector-u8-set! request 1 111)
      (bytevector-u16-native-set! request 16 1) ;IFF_UP
      (call 'ioctl fd #x8914 request)           ;SIOCSIFFLAGS
      (call 'close fd))))

;; In the child, from clone to execve. It is a copy of this process with one thread and without collector (see
;; run-builder); what goes wrong is told through `status`, which execve closes.
(define (become-builder step root console status)
  (define (try what result)
    (when (< result 0)
      (let ((why (string-append what " failed with error " (number->string (- result)))))
        (write-all status (latin1 why) (string-length why))
        (call 'exit_group 127)))
    result)
  (define builder (car (clause step 'builder)))
  (try "entering the root" (call 'fchdir root))
  (let ((got (call 'mount "proc" "proc" "proc" 14 0))) ;MS_NOSUID | MS_NODEV | MS_NOEXEC
    (unless (= got (- ENODEV)) (try "mounting /proc" got))) ;a kernel may have no /proc
  ;; Terminals of the step's own, with nix's modes; they go with its last process.
  (let ((got (call 'mount "devpts" "dev/pts" "devpts" 10 (latin1 "newinstance,mode=0620,ptmxmode=0666")))) ;MS_NOSUID | MS_NOEXEC
    (unless (= got (- ENODEV)) (try "mounting /dev/pts" got)))
  (unless guest? (call 'sethostname "localhost" 9))
  (try "chroot" (call 'chroot "."))
  (try "entering the build directory" (call 'chdir (car (clause step 'cwd))))
  (let ((null (try "opening /dev/null" (open-to-read AT_FDCWD "/dev/null" O_RDWR))))
    (try "dup2" (call 'dup2 null 0)))
  (try "dup2" (call 'dup2 console 1))
  (try "dup2" (call 'dup2 console 2))
  (call 'fchownat 1 "" uid gid EMPTY_PATH) ;so that the builder may open /dev/stdout anew
  ;; Guile's own descriptors, and what it was started with by hand, are not all closed by execve. Of the two ranges
  ;; around `status` the first may be empty, which is an error.
  (call 'close_range 3 (- status 1) 0)
  (try "closing descriptors" (call 'close_range (+ status 1) #xffffffff 0))
  ;; Its signal actions and mask are not the defaults.
  (let ((default (make-bytevector 32 0)))
    (do ((n 1 (+ n 1))) ((= n 65)) (call 'rt_sigaction n default 0 8))
    (call 'rt_sigprocmask 2 default 0 8))
  (call 'setsid)
  (call 'umask #o022)
  (limit 4 0)                           ;RLIMIT_CORE
  (limit 6 most-processes)              ;RLIMIT_NPROC
  (try "personality"
       (call 'personality (if (string=? "i686-linux" (car (clause step 'system))) #x40008 #x40000))) ;no randomised addresses
  (try "giving up new privileges" (call 'prctl 38 1 0 0 0))
  (let ((got (filter-calls)))
    (unless (= got (- EINVAL)) (try "filtering system calls" got)))
  (try "setgroups" (call 'setgroups 0 0))
  (try "setgid" (call 'setgid gid))
  (try "setuid" (call 'setuid uid))
  (let-values (((argv kept) (vector-of-strings (clause step 'argv)))
               ((envp kept*) (vector-of-strings (map (lambda (pair) (string-append (car pair) "=" (cadr pair))) (clause step 'env)))))
    (try "execve" (call 'execve builder argv envp))
    (list kept kept*)))

(define (pipe*)
  (let ((two (make-bytevector 8)))
    (must-call "making a pipe" "" 'pipe2 two #o2000000) ;O_CLOEXEC
    (values (bytevector-s32-native-ref two 0) (bytevector-s32-native-ref two 4))))

;; To the console, as it comes, up to the limit; the rest is read and dropped.
(define printed (permanent 16384))
(define (copy-output from)
  (let ((buffer printed))
    (let loop ((left most-output))
      (let ((n (read-into from buffer)))
        (when (> n 0)
          (write-all (if guest? 1 2) buffer (min n left))
          (when (and (> left 0) (>= n left))
            (say "the builder printed more than 1 MiB; the rest is not shown"))
          (loop (max 0 (- left n))))))))

(define (run-builder step root)
  (let*-values (((console-out console-in) (pipe*)) ((status-out status-in) (pipe*)))
    ;; IPC and network namespaces exist only in kernels that have IPC and networks to share. The child has its network's
    ;; loopback raised, when it is one of its own.
    (define (start spaces)
      (let* ((own (apply logior (if guest? 0 CLONE_NEWUTS) (car spaces)))
             (child (call 'clone (logior 17 CLONE_NEWPID own) 0 0 0 0))) ;17: SIGCHLD
        (cond
         ((and (= child (- EINVAL)) (pair? (cdr spaces))) (start (cdr spaces)))
         (else
          (when (and (= child 0) (logtest own CLONE_NEWNET)) (raise-loopback))
          child))))
    ;; The child has this thread alone. In a process by itself a collection still believes in the collector's own
    ;; threads, and could wait for them for ever. So none may begin.
    (gc)
    (finalize!)
    (gc-disable)
    (let ((child (start (list (list CLONE_NEWIPC CLONE_NEWNET) (list CLONE_NEWNET) (list CLONE_NEWIPC) '()))))
      (when (= child 0)
        (become-builder step root console-in status-in))
      (gc-enable)
      (must "starting a process" (car (clause step 'builder)) child)
      (call 'close console-in)
      (call 'close status-in)
      (let* ((why (make-bytevector 512)) (told (read-into status-out why)) (end (make-bytevector 4 0)))
        (call 'close status-out)
        (copy-output console-out)
        (call 'close console-out)
        ;; returns when every process of the namespace is gone
        (let wait () (when (= (call 'wait4 child end 0 0) (- EINTR)) (wait)))
        (let reap () (when (> (call 'wait4 -1 0 1 0) 0) (reap)))
        (call 'umount2 (string-append base "/root/proc") 2)
        (call 'umount2 (string-append base "/root/dev/pts") 2)
        (let ((end (bytevector-s32-native-ref end 0)))
          (cond
           ((> told 0)
            (fail "start" "the builder could not be started: " (bytes->string why 0 told) ": " (car (clause step 'builder))))
           ((logtest end #x7f)
            (fail "signal" "the builder was killed by signal " (number->string (logand end #x7f))))
           ((not (= end 0))
            (fail "exit" "the builder ended with status " (number->string (logand 255 (ash end -8)))))))))))

;;; the outputs

(define (check-fixed output store nar)
  (let* ((path (cadr output)) (fixed (cdr (caddr output)))
         (found
          (if (string=? (car fixed) "recursive")
              nar
              (let-values (((mode size) (look store (store-name path))))
                (unless (= (logand mode #o170111) kind-regular)
                  (fail "output" "a flat fixed output must be a regular file that is not executable: " path))
                (file-hash store (store-name path))))))
    (unless (string=? found (caddr fixed))
      (fail "output" "the fixed hash differs: found " found ", at " path))))

(define (take-outputs step number store visible)
  (define outputs (clause step 'outputs))
  (define paths (map cadr outputs))
  (define by-name (make-hash-table))
  (for-each (lambda (path)
              (let-values (((mode size) (look store (store-name path))))
                (when (< mode 0) (fail "output" "the builder did not make " path))))
            paths)
  (for-each (lambda (path) (hash-set! by-name (store-name path) path)) (append visible paths))
  ;; All are put into their final form before one is hashed: outputs may share a file by hard links.
  (for-each (lambda (path) (canonicalise store (store-name path))) paths)
  (for-each
   (lambda (output)
     (let-values (((nar size found)
                   (nar-hash store (store-name (cadr output)) (map store-name (append visible paths)))))
       (let ((refs (sorted (map (lambda (name) (hash-ref by-name name)) found))))
         (hash-set! references (cadr output) refs)
         (when (pair? (cddr output)) (check-fixed output store nar))
         (report 'output number (car output) "sha256" nar size refs)
         (export-output number (car output) (cadr output) store))))
   outputs)
  (move-paths paths store hidden-store))

;;; the order of it all

(define (run-step step store)
  (let ((number (cadr step)) (visible (closure (clause step 'inputs))))
    (step-is! number)
    (report 'begin number)
    (say "step " (number->string number) " " (caddr step))
    (when guest? (set-clock)) ;before anything of the step is made: nothing in it is in the future
    (let-values (((root step-store) (make-root step store visible)))
      (run-builder step root)
      (take-outputs step number step-store visible)
      (move-paths visible step-store hidden-store)
      (call 'close step-store)
      (call 'close root)
      (remove-tree "root"))))

(define (check-source source)
  (let ((path (car source)) (hash (caddr (cadr source))))
    (let-values (((nar size found) (nar-hash hidden-store (store-name path) '())))
      (unless (string=? nar hash)
        (fail "source" "NAR SHA-256 is " nar " of " path))
      (hash-set! references path (cdr (caddr source)))
      (report 'source path "sha256" nar size))))

(define (run-script script)
  (let ((store (cadr (caddr script))))
    (single-threaded!)
    (call 'umask 0)
    (set! base-fd (open-directory AT_FDCWD base))
    (set! hidden-store (open-directory base-fd "store"))
    (for-each (lambda (clause) (when (eq? 'source (car clause)) (check-source (cdr clause)))) (cddr script))
    (for-each (lambda (clause) (when (eq? 'step (car clause)) (run-step clause store))) (cddr script))
    (step-is! 0)
    (done)))

;; Whatever Guile itself objects to, memory included, is a failure of the executor.
(define (guarded thunk)
  (with-exception-handler
   (lambda (e)
     (fail (if (eq? 'out-of-memory (exception-kind e)) "limit" "internal")
           "the executor stopped: " (object->string (cons (exception-kind e) (exception-args e)))))
   thunk #:unwind? #t))

(define (read-whole name)
  (let* ((fd (must "opening" name (open-to-read AT_FDCWD name))) (buffer (make-bytevector 65536)))
    (let loop ((parts '()))
      (let ((n (must "reading" name (read-into fd buffer))))
        (if (> n 0)
            (let ((part (make-bytevector n)))
              (bytevector-copy! buffer 0 part 0 n)
              (loop (cons part parts)))
            (let ((all (make-bytevector (apply + (map bytevector-length parts)))))
              (call 'close fd)
              (let join ((end (bytevector-length all)) (parts parts))
                (if (null? parts)
                    all
                    (let ((at (- end (bytevector-length (car parts)))))
                      (bytevector-copy! (car parts) 0 all at (bytevector-length (car parts)))
                      (join at (cdr parts)))))))))))

;; Without this a builder could make hard links to files that are not its own; Linux starts with it off.
(define (protect-links)
  (must-call "making a folder" "proc" 'mkdirat AT_FDCWD "/xboot/proc" #o700)
  (when (>= (call 'mount "proc" "/xboot/proc" "proc" 0 0) 0)
    (let ((fd (open-to-read AT_FDCWD "/xboot/proc/sys/fs/protected_hardlinks" O_WRONLY)))
      (when (>= fd 0)
        (write-all fd (latin1 "1") 1)
        (call 'close fd)))
    (must-call "unmounting" "/proc" 'umount2 "/xboot/proc" 0))
  (must-call "removing" "/xboot/proc" 'unlinkat AT_FDCWD "/xboot/proc" #x200))

(define (boot)
  (set! guest? #t)
  (expect-channel!)
  (guarded
   (lambda ()
     (let* ((bytes (read-whole "/xboot/script")) (hash (hex (sha256 bytes))))
       (say "script sha256 " hash)
       (open-channel!)
       (report 'hello hash)
       (let ((script (parse-script (bytes->string bytes 0 (bytevector-length bytes)))))
         (check-script script)
         (call 'sethostname "localhost" 9)
         (protect-links)
         (run-script script))))))

(define (run-by-hand script folder)
  (set! base folder)
  (guarded (lambda () (check-script script) (run-script script))))
