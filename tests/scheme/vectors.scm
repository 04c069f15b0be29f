;; SHA-256 of NIST's messages, of a million bytes, and the Monte Carlo test, on any machine that has the executor's Guile:
;;   guile -s vectors.scm MESSAGES MONTE-CARLO CHECKPOINTS OUTPUT
;; Writes one digest a line. Uses nothing but the executor's own modules and what they load.
(use-modules (xboot sha256) (rnrs bytevectors))

(define (lines file)                    ;each as a list of words
  (call-with-input-file file
    (lambda (port)
      (let loop ((word '()) (words '()) (lines '()))
        (let ((c (read-char port)))
          (cond ((eof-object? c) (reverse lines))
                ((char=? c #\space) (loop '() (cons (list->string (reverse word)) words) lines))
                ((char=? c #\newline) (loop '() '() (cons (reverse (cons (list->string (reverse word)) words)) lines)))
                (else (loop (cons c word) words lines))))))))

(define (unhex text)
  (let ((bv (make-bytevector (quotient (string-length text) 2))))
    (do ((i 0 (+ i 1))) ((= i (bytevector-length bv)) bv)
      (bytevector-u8-set! bv i (string->number (substring text (* 2 i) (* 2 (+ i 1))) 16)))))

(define (message text) (if (string=? text "-") (make-bytevector 0) (unhex text)))

;; SHAVS, 6.4: each digest is of the three before it; after a thousand comes a checkpoint, which is the next seed.
(define (checkpoint seed)
  (let ((three (make-bytevector 96)))
    (bytevector-copy! seed 0 three 0 32)
    (bytevector-copy! seed 0 three 32 32)
    (bytevector-copy! seed 0 three 64 32)
    (let loop ((n 0))
      (let ((digest (sha256 three)))
        (bytevector-copy! three 32 three 0 64)
        (bytevector-copy! digest 0 three 64 32)
        (if (= n 999) digest (loop (+ n 1)))))))

(define (in-pieces bv size)             ;the same through as many updates as it takes
  (let ((state (make-sha256)))
    (let loop ((at 0))
      (let ((end (min (+ at size) (bytevector-length bv))))
        (sha256-update! state bv at end)
        (if (< end (bytevector-length bv)) (loop end) (sha256-final! state))))))

(define (main messages monte count output)
  (call-with-output-file output
    (lambda (port)
      (define (write-digest digest) (display (hex digest) port) (newline port))
      (for-each (lambda (words) (write-digest (sha256 (message (car words))))) (lines messages))
      (let ((million (make-bytevector 1000000 (char->integer #\a))))
        (write-digest (sha256 million))
        (write-digest (in-pieces million 4099)))
      (let loop ((seed (unhex (caar (lines monte)))) (left (string->number count)))
        (when (> left 0)
          (let ((next (checkpoint seed)))
            (write-digest next)
            (loop next (- left 1))))))))

(apply main (cdr (command-line)))
