;;; Outputs: canonicalise a tree, serialise it as NAR, hash it, scan it for references.
;;;
;;; (canonicalise dir name)            owner 0:0, mtime 1, modes 0555 or 0444; refuses what a NAR cannot hold
;;; (nar-write dir name put)           (put bytevector start end) gets the NAR in pieces
;;; (nar-hash dir name candidates)     -> SHA-256 in hex, size, list of the candidates' names that occur
;;; (file-hash dir name)               -> SHA-256 in hex of one file's content
;;;
;;; The format: E. Dolstra, "The Purely Functional Software Deployment Model", figure 5.2. Links are never followed.

(define-module (xboot nar)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-11)
  #:use-module (xboot sha256)
  #:use-module (xboot system)
  #:export (canonicalise nar-write nar-hash file-hash hash-character?))

(define max-depth 64)
(define max-file (ash 16 30))           ;only a sparse file is so large, and hashing it would take hours
(define piece 65536)

(define (kind mode) (logand mode #o170000))

(define (look! dir name)
  (let-values (((mode size) (look dir name)))
    (values (must "looking at an output" name mode) size)))

(define (refuse what name subject)
  (fail (if (string-prefix? "a file larger" what) "limit" "output") what name
        (if (string=? name subject) "" (string-append " in " subject))))

(define (enter dir name depth subject)
  (when (>= depth max-depth)
    (refuse "directories nested deeper than 64: " name subject))
  (open-directory dir name))

;;; canonicalise

(define times (let ((bv (make-bytevector 32 0))) ;two struct timespec: 1 second, 0 nanoseconds
                (bytevector-u64-native-set! bv 0 1)
                (bytevector-u64-native-set! bv 16 1)
                bv))

(define (canonicalise dir name)
  (let settle ((dir dir) (name* name) (depth 0))
    (let-values (((mode size) (look! dir name*)))
      (let ((kind (kind mode)))
        (unless (memv kind (list kind-regular kind-directory kind-link))
          (refuse "neither regular file, directory nor symbolic link: " name* name))
        (must "setting an owner" name* (call 'fchownat dir name* 0 0 NOFOLLOW))
        (cond
         ((= kind kind-directory)
          (must "setting a mode" name* (call 'fchmodat dir name* #o555))
          (let ((fd (enter dir name* depth name)))
            (for-each (lambda (entry) (settle fd entry (+ depth 1))) (directory-names fd))
            (call 'close fd)))
         ((= kind kind-regular)
          (must "setting a mode" name* (call 'fchmodat dir name* (if (logtest mode #o100) #o555 #o444)))))
        (must "setting a time" name* (call 'utimensat dir name* times NOFOLLOW))))))

;;; serialise

(define (framed s)                      ;a string of the format: length, bytes, zeros up to a multiple of 8
  (let* ((n (string-length s)) (bv (make-bytevector (+ 8 (* 8 (quotient (+ n 7) 8))) 0)))
    (bytevector-u64-set! bv 0 n (endianness little))
    (bytevector-copy! (latin1 s) 0 bv 8 n)
    bv))

(define (together . strings)
  (let* ((parts (map framed strings))
         (all (make-bytevector (apply + (map bytevector-length parts)))))
    (let loop ((at 0) (parts parts))
      (if (null? parts)
          all
          (begin (bytevector-copy! (car parts) 0 all at (bytevector-length (car parts)))
                 (loop (+ at (bytevector-length (car parts))) (cdr parts)))))))

(define magic (together "nix-archive-1"))
(define regular (together "(" "type" "regular" "contents"))
(define executable (together "(" "type" "regular" "executable" "" "contents"))
(define directory (together "(" "type" "directory"))
(define entry-start (together "entry" "(" "name"))
(define entry-node (together "node"))
(define close-paren (together ")"))
(define buffer (permanent piece))
(define zeros (make-bytevector 8 0))

;; The file's bytes, of which there must be exactly `size`.
(define (each-piece dir name size use)
  (let ((fd (must "opening a file of an output" name (open-to-read dir name))))
    (let loop ((left size))
      (let ((n (must "reading a file of an output" name (read-into fd buffer))))
        (cond
         ((> n left) (fail "internal" "a file changed its size while it was read: " name))
         ((> n 0) (use buffer 0 n) (loop (- left n)))
         ((> left 0) (fail "internal" "a file changed its size while it was read: " name)))))
    (call 'close fd)))

(define (nar-write dir name put)
  (define (whole bv) (put bv 0 (bytevector-length bv)))
  (whole magic)
  (let node ((dir dir) (name* name) (depth 0))
    (let*-values (((mode size) (look! dir name*)) ((type) (kind mode)))
      (cond
       ((= type kind-regular)
        (when (> size max-file)
          (refuse "a file larger than 16 GiB: " name* name))
        (whole (if (logtest mode #o100) executable regular))
        (let ((length (make-bytevector 8)))
          (bytevector-u64-set! length 0 size (endianness little))
          (whole length))
        (each-piece dir name* size put)
        (put zeros 0 (modulo (- size) 8)))
       ((= type kind-link)
        (let* ((target buffer)
               (n (must "reading a link" name* (call 'readlinkat dir name* target 4096))))
          (whole (together "(" "type" "symlink" "target" (bytes->string target 0 n)))))
       ((= type kind-directory)
        (whole directory)
        (let ((fd (enter dir name* depth name)))
          (for-each (lambda (entry)
                      (whole entry-start)
                      (whole (framed entry))
                      (whole entry-node)
                      (node fd entry (+ depth 1))
                      (whole close-paren))
                    (directory-names fd))
          (call 'close fd)))
       (else (refuse "neither regular file, directory nor symbolic link: " name* name)))
      (whole close-paren))))

(define (file-hash dir name)
  (let-values (((mode size) (look! dir name)) ((state) (make-sha256)))
    (each-piece dir name size (lambda (bv start end) (sha256-update! state bv start end)))
    (hex (sha256-final! state))))

;;; hash and scan
;;;
;;; A reference is an occurrence of a store path's 32-character hash part. The NAR's pieces are gathered in a window
;;; that begins with the last 32 bytes of what came before, so that an occurrence across a border is found.

(define part 32)

(define (hash-character? c)             ;the alphabet of nix32: digits and lower-case letters but e, o, t, u
  (or (char<=? #\0 c #\9) (and (char<=? #\a c #\z) (not (memv c '(#\e #\o #\t #\u))))))

(define in-alphabet
  (let ((bv (make-bytevector 256 0)))
    (do ((i 0 (+ i 1))) ((= i 128) bv)
      (when (hash-character? (integer->char i)) (bytevector-u8-set! bv i 1)))))

(define (nar-hash dir name candidates)
  (define window (make-bytevector (+ part piece)))
  (define fill 0)
  (define carry 0)
  (define size 0)
  (define state (make-sha256))
  (define wanted (make-hash-table))     ;hash part -> the names that begin with it
  (define starts (make-bytevector 65536 0)) ;1 for the first two bytes of each: a quick no for nearly every place
  (define found '())
  (define (note at)
    (when (= 1 (bytevector-u8-ref starts (bytevector-u16-ref window at (endianness little))))
      (let* ((text (bytes->string window at (+ at part))) (names (hash-ref wanted text)))
        (when names
          (hash-remove! wanted text)
          (set! found (append names found))))))
  ;; Looks at every 32nd byte first: where that is not of the alphabet, no hash part can lie across it.
  (define (scan)
    (let jump ((i 0))
      (when (<= (+ i part) fill)
        (let ((bad (let back ((j (+ i part -1)))
                     (cond ((< j i) #f)
                           ((= 1 (bytevector-u8-ref in-alphabet (bytevector-u8-ref window j))) (back (- j 1)))
                           (else j)))))
          (if bad
              (jump (+ bad 1))
              (let run ((i i))
                (note i)
                (if (and (< (+ i part) fill)
                         (= 1 (bytevector-u8-ref in-alphabet (bytevector-u8-ref window (+ i part)))))
                    (run (+ i 1))
                    (jump (+ i part 1)))))))))
  (define (flush)
    (sha256-update! state window carry fill)
    (unless (null? candidates) (scan))
    (let ((keep (min fill part)))
      (bytevector-copy! window (- fill keep) window 0 keep)
      (set! carry keep)
      (set! fill keep)))
  (define (put bv start end)
    (let ((n (min (- end start) (- (bytevector-length window) fill))))
      (bytevector-copy! bv start window fill n)
      (set! fill (+ fill n))
      (set! size (+ size n))
      (when (= fill (bytevector-length window)) (flush))
      (when (< (+ start n) end) (put bv (+ start n) end))))
  (for-each (lambda (name)
              (let ((text (substring name 0 part)))
                (hash-set! wanted text (cons name (hash-ref wanted text '())))
                (bytevector-u8-set! starts (bytevector-u16-ref (latin1 text) 0 (endianness little)) 1)))
            candidates)
  (nar-write dir name put)
  (flush)
  (values (hex (sha256-final! state)) size found))
