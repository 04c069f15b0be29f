;;; SHA-256 in Scheme, after FIPS 180-4: integers and bytevectors, no foreign calls.
;;;
;;; (make-sha256) -> state          (sha256-update! state bytevector start end)
;;; (sha256-final! state) -> 32-byte bytevector; the state is spent
;;; (sha256 bytevector) -> digest   (hex bytevector) -> string
;;;
;;; Every intermediate value fits in 64 bits without a sign and the compiler can see that it does, so it keeps
;;; them in machine words. Two things follow from this that look odd:
;;;  - a rotation works on the word written twice, side by side: the low half of (x:x >> n) is x rotated by n;
;;;  - sums are cut to 32 bits before they could pass 64.

(define-module (xboot sha256)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-9)
  #:export (make-sha256 sha256-update! sha256-final! sha256 hex))

(define-syntax-rule (low32 x) (logand x #xffffffff))
(define-syntax-rule (twice x) (logior x (ash x 32)))

;; FIPS 180-4, 4.1.2. Each takes a word of 32 bits.
(define-syntax-rule (choose e f g) (logxor g (logand e (logxor f g))))
(define-syntax-rule (majority a b c) (logior (logand a b) (logand c (logior a b))))
(define-syntax-rule (SIGMA0 x)
  (let ((y (twice x))) (low32 (logxor (ash y -2) (ash y -13) (ash y -22)))))
(define-syntax-rule (SIGMA1 x)
  (let ((y (twice x))) (low32 (logxor (ash y -6) (ash y -11) (ash y -25)))))
(define-syntax-rule (sigma0 x)
  (let ((y (twice x))) (low32 (logxor (ash y -7) (ash y -18) (ash x -3)))))
(define-syntax-rule (sigma1 x)
  (let ((y (twice x))) (low32 (logxor (ash y -17) (ash y -19) (ash x -10)))))

(define-syntax-rule (word bv i) (bytevector-u32-native-ref bv (* 4 i)))
(define-syntax-rule (set-word! bv i x) (bytevector-u32-native-set! bv (* 4 i) x))

(define (words . numbers)
  (let ((bv (make-bytevector (* 4 (length numbers)))))
    (let loop ((i 0) (rest numbers))
      (if (null? rest)
          bv
          (begin (set-word! bv i (car rest)) (loop (+ i 1) (cdr rest)))))))

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

;; One round (6.2.2, step 3). Instead of moving eight variables along, each round renames them: what it makes
;; new takes the places of d and h, and the caller turns the names.
(define-syntax-rule (round W t (a b c d e f g h) (d* h*) body)
  (let* ((t1 (+ h (SIGMA1 e) (choose e f g) (word W t)))
         (d* (low32 (+ d t1)))
         (h* (low32 (+ t1 (SIGMA0 a) (majority a b c)))))
    body))

(define (compress! H W bv start)
  ;; Schedule (step 1), with the round constants added already: W holds the plain words first.
  (let fill ((t 0) (at start))
    (when (< t 16)
      (set-word! W t (bytevector-u32-ref bv at (endianness big)))
      (fill (+ t 1) (+ at 4))))
  (let extend ((t 16))
    (when (< t 64)
      (set-word! W t (low32 (+ (sigma1 (word W (- t 2))) (word W (- t 7))
                               (sigma0 (word W (- t 15))) (word W (- t 16)))))
      (extend (+ t 1))))
  (let add ((t 0))
    (when (< t 64)
      (set-word! W t (low32 (+ (word W t) (word K t))))
      (add (+ t 1))))
  (let rounds ((t 0)
               (a (word H 0)) (b (word H 1)) (c (word H 2)) (d (word H 3))
               (e (word H 4)) (f (word H 5)) (g (word H 6)) (h (word H 7)))
    (if (< t 64)
        (round W t       (a b c d e f g h) (d h)
        (round W (+ t 1) (h a b c d e f g) (c g)
        (round W (+ t 2) (g h a b c d e f) (b f)
        (round W (+ t 3) (f g h a b c d e) (a e)
        (round W (+ t 4) (e f g h a b c d) (h d)
        (round W (+ t 5) (d e f g h a b c) (g c)
        (round W (+ t 6) (c d e f g h a b) (f b)
        (round W (+ t 7) (b c d e f g h a) (e a)
        (rounds (+ t 8) a b c d e f g h)))))))))
        (begin
          (set-word! H 0 (low32 (+ a (word H 0))))
          (set-word! H 1 (low32 (+ b (word H 1))))
          (set-word! H 2 (low32 (+ c (word H 2))))
          (set-word! H 3 (low32 (+ d (word H 3))))
          (set-word! H 4 (low32 (+ e (word H 4))))
          (set-word! H 5 (low32 (+ f (word H 5))))
          (set-word! H 6 (low32 (+ g (word H 6))))
          (set-word! H 7 (low32 (+ h (word H 7))))))))

(define* (sha256-update! state bv #:optional (start 0) (end (bytevector-length bv)))
  (let ((H (state-hash state)) (W (state-schedule state)) (block (state-block state)))
    (set-state-total! state (+ (state-total state) (- end start)))
    (let loop ((at start) (fill (state-fill state)))
      (cond
       ((= at end)
        (set-state-fill! state fill))
       ((and (= fill 0) (<= (+ at 64) end)) ;whole blocks are read where they are
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
        (bytevector-u32-set! digest (* 4 i) (word (state-hash state) i) (endianness big))
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
