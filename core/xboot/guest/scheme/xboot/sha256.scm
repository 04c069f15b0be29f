;;; SHA-256 in Scheme, after FIPS 180-4: integers and bytevectors, no foreign calls.
;;;
;;; (make-sha256) -> state          (sha256-update! state bytevector start end)
;;; (sha256-final! state) -> 32-byte bytevector; the state is spent
;;; (sha256 bytevector) -> digest   (hex bytevector) -> string
;;;
;;; The speed hangs on the compiler (Guile 3.0) keeping every value in a machine word. It does so where it can see that
;;; none passes 2^61, and where each operation has two operands: (logxor a b c) is a call that conses. Hence what looks odd:
;;;  - a rotation works on the word written twice, side by side: the low half of (x:x >> n) is x rotated by n. Shifted by
;;;    2 only, that is still too large, so SIGMA0 writes no more of the upper copy than its largest shift brings down;
;;;  - sums and rotations keep rubbish above bit 31 until the result is cut to 32 bits, once;
;;;  - words are read and written in the machine's byte order, the little-endian x86_64's, and swapped by hand: a byte
;;;    order given as an argument is a call;
;;;  - loops count bytes, as the instructions do.

(define-module (xboot sha256)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-9)
  #:export (make-sha256 sha256-update! sha256-final! sha256 hex))

(define-syntax-rule (low32 x) (logand x #xffffffff))
(define-syntax-rule (twice x) (logior x (ash x 32)))
(define-syntax-rule (xor a b c) (logxor a (logxor b c)))

;; FIPS 180-4, 4.1.2. Each takes words of 32 bits; of the last four's results only the low 32 bits count.
(define-syntax-rule (choose e f g) (logxor g (logand e (logxor f g))))
(define-syntax-rule (majority a b c) (logior (logand a b) (logand c (logior a b))))
(define-syntax-rule (SIGMA0 x) (let ((y (logior x (ash (logand x #x3fffff) 32)))) (xor (ash y -2) (ash y -13) (ash y -22))))
(define-syntax-rule (SIGMA1 x) (let ((y (twice x))) (xor (ash y -6) (ash y -11) (ash y -25))))
(define-syntax-rule (sigma0 x) (let ((y (twice x))) (xor (ash y -7) (ash y -18) (ash x -3))))
(define-syntax-rule (sigma1 x) (let ((y (twice x))) (xor (ash y -17) (ash y -19) (ash x -10))))

;; The word at byte `at`, and that word with its bytes in reverse order.
(define-syntax-rule (word bv at) (bytevector-u32-native-ref bv at))
(define-syntax-rule (set-word! bv at x) (bytevector-u32-native-set! bv at x))
(define-syntax-rule (big-endian x)
  (let* ((w x) (y (logior (ash (logand w #xff00ff) 8) (logand (ash w -8) #xff00ff))))
    (low32 (ash (twice y) -16))))

(define (words . numbers)
  (let ((bv (make-bytevector (* 4 (length numbers)))))
    (let loop ((i 0) (rest numbers))
      (if (null? rest)
          bv
          (begin (set-word! bv i (car rest)) (loop (+ i 4) (cdr rest)))))))

;; The first 32 bits of the fractions of the cube roots of the first 64 primes (4.2.2).
(define K
  (words
   #x428a2f98 #x71374491 #xb5c0fbcf #xe9b5dba5 #x3956c25b #x59f111f1 #x923f82a4 #xab1c5ed5
   #xd807aa98 #x12835b01 #x243185be #x550c7dc3 #x72be5d74 #x80deb1fe #x9bdc06a7 #xc19bf174
   #xe49b69c1 #xefbe4786 #x0fc19dc6 #x240ca1cc #x2de92c6f #x4a7484aa #x5cb0a9dc #x76f988da
   #x983e5152 #xa831c66d #xb00327c8 #xbf597fc7 #xc6e00bf3 #xd5a79147 #x06ca6351 #x14292967
   #x27b70a85 #x2e1b2138 #x4d2c6dfc #x53380d13 #x650a7354 #x766a0abb #x81c2c92e #x92722c85
   #xa2bfe8a1 #xa81a664b #xc24b8b70 #xc76c51a3 #xd192e819 #xd6990624 #xf40e3585 #x106aa070
   #x19a4c116 #x1e376c08 #x2748774c #x34b0bcb5 #x391c0cb3 #x4ed8aa4a #x5b9cca4f #x682e6ff3
   #x748f82ee #x78a5636f #x84c87814 #x8cc70208 #x90befffa #xa4506ceb #xbef9a3f7 #xc67178f2))

;; The state: the eight words of the hash so far, the schedule (64 words), a block that is not full yet, the number
;; of bytes in it, and the number of bytes seen in all.
(define-record-type <sha256>
  (%make-state hash schedule block fill total)
  sha256?
  (hash state-hash)
  (schedule state-schedule)
  (block state-block)
  (fill state-fill set-state-fill!)
  (total state-total set-state-total!))

(define (make-sha256)
  ;; The first 32 bits of the fractions of the square roots of the first eight primes (5.3.3).
  (%make-state (words #x6a09e667 #xbb67ae85 #x3c6ef372 #xa54ff53a #x510e527f #x9b05688c #x1f83d9ab #x5be0cd19)
               (make-bytevector 256) (make-bytevector 64) 0 0))

;; One round (6.2.2, step 3), of the word at byte `at`. Instead of moving eight variables along, each round renames them:
;; what it makes new takes the places of d and h, and the caller turns the names.
(define-syntax-rule (round W at (a b c d e f g h) (d* h*) body)
  (let* ((t1 (+ h (SIGMA1 e) (choose e f g) (word K at) (word W at)))
         (d* (low32 (+ d t1)))
         (h* (low32 (+ t1 (SIGMA0 a) (majority a b c)))))
    body))

;; The 64 bytes from `start`, a multiple of 4.
(define (compress! H W bv start)
  (let fill ((at 0))                    ;schedule (step 1)
    (when (< at 64)
      (set-word! W at (big-endian (word bv (+ start at))))
      (fill (+ at 4))))
  (let extend ((at 64))
    (when (< at 256)
      (set-word! W at (low32 (+ (sigma1 (word W (- at 8))) (word W (- at 28))
                                (sigma0 (word W (- at 60))) (word W (- at 64)))))
      (extend (+ at 4))))
  (let rounds ((at 0)
               (a (word H 0)) (b (word H 4)) (c (word H 8)) (d (word H 12))
               (e (word H 16)) (f (word H 20)) (g (word H 24)) (h (word H 28)))
    (if (< at 256)
        (round W at        (a b c d e f g h) (d h)
        (round W (+ at 4)  (h a b c d e f g) (c g)
        (round W (+ at 8)  (g h a b c d e f) (b f)
        (round W (+ at 12) (f g h a b c d e) (a e)
        (round W (+ at 16) (e f g h a b c d) (h d)
        (round W (+ at 20) (d e f g h a b c) (g c)
        (round W (+ at 24) (c d e f g h a b) (f b)
        (round W (+ at 28) (b c d e f g h a) (e a)
        (rounds (+ at 32) a b c d e f g h)))))))))
        (begin
          (set-word! H 0 (low32 (+ a (word H 0))))
          (set-word! H 4 (low32 (+ b (word H 4))))
          (set-word! H 8 (low32 (+ c (word H 8))))
          (set-word! H 12 (low32 (+ d (word H 12))))
          (set-word! H 16 (low32 (+ e (word H 16))))
          (set-word! H 20 (low32 (+ f (word H 20))))
          (set-word! H 24 (low32 (+ g (word H 24))))
          (set-word! H 28 (low32 (+ h (word H 28))))))))

(define* (sha256-update! state bv #:optional (start 0) (end (bytevector-length bv)))
  (let ((H (state-hash state)) (W (state-schedule state)) (block (state-block state)))
    (set-state-total! state (+ (state-total state) (- end start)))
    (let loop ((at start) (fill (state-fill state)))
      (cond
       ((= at end)
        (set-state-fill! state fill))
       ((and (= fill 0) (<= (+ at 64) end) (not (logtest at 3))) ;whole blocks are read where they are
        (compress! H W bv at)
        (loop (+ at 64) 0))
       (else
        (let ((n (min (- 64 fill) (- end at))))
          (bytevector-copy! bv at block fill n)
          (if (= (+ fill n) 64)
              (begin (compress! H W block 0) (loop (+ at n) 0))
              (loop (+ at n) (+ fill n)))))))))

(define (sha256-final! state)
  ;; 5.1.1: a one bit, zeros, and the length in bits as a 64-bit number, to a multiple of 64 bytes.
  (let* ((total (state-total state))
         (tail (make-bytevector (+ 8 (- 64 (modulo (+ total 8) 64))) 0))
         (digest (make-bytevector 32)))
    (bytevector-u8-set! tail 0 #x80)
    (bytevector-u64-set! tail (- (bytevector-length tail) 8) (* 8 total) (endianness big))
    (sha256-update! state tail)
    (let loop ((i 0))
      (when (< i 8)
        (bytevector-u32-set! digest (* 4 i) (word (state-hash state) (* 4 i)) (endianness big))
        (loop (+ i 1))))
    digest))

(define (sha256 bv)
  (let ((state (make-sha256)))
    (sha256-update! state bv)
    (sha256-final! state)))

(define (hex bv)
  (string-concatenate
   (map (lambda (byte) (string-pad (number->string byte 16) 2 #\0))
        (bytevector->u8-list bv))))
