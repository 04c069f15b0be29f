;;; The script (docs/contract.md, section 3): read with `read`, then judged strictly.
;;;
;;; (parse-script text) -> the script as a list      (check-script list) checks meaning: paths, numbers, hashes
;;; (quoted string) -> the string as script and channel write it
;;;
;;; `read` accepts far more than the contract allows. So what it gave is written out again as the contract's writer
;;; writes it, and must be the same text, byte for byte: no comment, number form or second spelling gets through.

(define-module (xboot script)
  #:use-module (xboot nar)
  #:use-module (xboot system)
  #:export (parse-script check-script quoted clause store-name))

(define (bad what) (fail "internal" "malformed script: expected " what))

(define (quoted s)
  (string-append
   "\""
   (string-concatenate
    (map (lambda (c)
           (let ((n (char->integer c)))
             (cond ((memv c '(#\" #\\)) (string #\\ c))
                   ((char=? c #\newline) "\\n")
                   ((or (< n 32) (> n 126)) (string-append "\\x" (string-pad (number->string n 16) 2 #\0)))
                   (else (string c)))))
         (string->list s)))
   "\""))

(define (words strings) (string-concatenate (map (lambda (s) (string-append " " (text s))) strings)))
(define (text s) (if (string? s) (quoted s) (bad "a string")))
(define (number n) (if (and (integer? n) (exact? n) (> n 0)) (number->string n) (bad "a number")))

;; The rest of a list that must begin with `word`.
(define (after word x)
  (if (and (list? x) (pair? x) (eq? (car x) word)) (cdr x) (bad (symbol->string word))))

(define (lists what x) (if (and (list? x) (pair? x)) x (bad what)))

(define (step->text step)
  (define (line i word write)
    (string-append "\n  (" (symbol->string word) (write (after word (list-ref step i))) ")"))
  (define (pairs items)
    (string-concatenate (map (lambda (x) (string-append " (" (substring (words (lists "a list" x)) 1) ")")) items)))
  (define (outputs items)
    (string-concatenate
     (map (lambda (x)
            (string-append
             " (" (text (car (lists "an output" x))) " " (text (cadr x))
             (if (pair? (cddr x)) (string-append " (fixed" (words (after 'fixed (caddr x))) ")") "") ")"))
          items)))
  (unless (and (list? step) (= 12 (length step))) (bad "a step of nine clauses"))
  (string-append " (step " (number (list-ref step 1)) " " (text (list-ref step 2))
                 (line 3 'system words) (line 4 'builder words) (line 5 'argv words) (line 6 'env pairs) (line 7 'cwd words)
                 (line 8 'files pairs) (line 9 'graphs pairs) (line 10 'inputs words) (line 11 'outputs outputs) ")\n"))

(define (clause->text x)
  (case (and (pair? x) (car x))
    ((store) (string-append " (store" (words (cdr x)) ")\n"))
    ((source)
     (string-append " (source " (text (cadr x)) " (nar" (words (after 'nar (caddr x)))
                    ") (references" (words (after 'references (cadddr x))) "))\n"))
    ((step) (step->text x))
    ((result) (string-append " (result" (words (cdr x)) ")"))
    (else (bad "a clause"))))

(define (script->text x)
  (let ((rest (after 'xboot-script x)))
    (unless (and (pair? rest) (eqv? (car rest) 1)) (bad "version 1"))
    (string-append "(xboot-script 1\n" (string-concatenate (map clause->text (cdr rest))) ")\n")))

(define (parse-script given)
  (let ((x (call-with-input-string given
             (lambda (port) (catch 'read-error (lambda () (read port)) (lambda _ (bad "S-expressions")))))))
    (unless (string=? given (script->text x)) (bad "the one way to write this"))
    x))

;;; meaning

(define (clause step word) (cdr (assq word (cdddr step))))
(define (store-name path) (substring path (+ 1 (string-rindex path #\/))))

(define (hash! s)
  (unless (and (string? s) (= 64 (string-length s))
               (string-every (lambda (c) (or (char<=? #\0 c #\9) (char<=? #\a c #\f))) s))
    (bad "a SHA-256 in hex")))

(define (plain! . strings)
  (for-each (lambda (s) (when (string-index s #\nul) (bad "a string without NUL"))) strings))

(define (one x) (if (= 1 (length x)) (car x) (bad "one string")))

;; An absolute path without `.`, `..` or empty parts.
(define (inner-path! s)
  (plain! s)
  (unless (and (< 1 (string-length s) 4096) (char=? #\/ (string-ref s 0))
               (not (any-bad-part? (string-split (substring s 1) #\/))))
    (bad "an absolute path without empty or dot parts")))

(define (any-bad-part? parts)
  (and (pair? parts) (or (member (car parts) '("" "." "..")) (any-bad-part? (cdr parts)))))

(define (check-script script)
  (define clauses (cddr script))
  (define store (one (after 'store (car clauses))))
  (define known (make-hash-table))
  (define (new! path)
    (let ((prefix (string-append store "/")))
      (unless (and (string-prefix? prefix path) (not (hash-ref known path))) (bad "a new store path"))
      (let ((name (substring path (string-length prefix))))
        (unless (and (< 33 (string-length name) 256)
                     (string-every hash-character? name 0 32)
                     (char=? #\- (string-ref name 32))
                     (string-every (lambda (c) (and (char<? #\space c #\delete) (not (char=? c #\/)))) name))
          (bad "a store path")))
      (hash-set! known path #t)))
  (define (known! path) (unless (hash-ref known path) (bad "a store path that the script has named before")))
  (define (check-step step number)
    (unless (= number (cadr step)) (bad "steps numbered in order"))
    (plain! (caddr step) (one (clause step 'system)) (one (clause step 'builder)))
    (when (null? (clause step 'argv)) (bad "argv[0]"))
    (apply plain! (clause step 'argv))
    (for-each (lambda (pair)
                (unless (= 2 (length pair)) (bad "name and value"))
                (when (or (string-null? (car pair)) (string-index (car pair) #\=)) (bad "a variable's name"))
                (apply plain! pair))
              (clause step 'env))
    (inner-path! (one (clause step 'cwd)))
    (for-each (lambda (file)
                (unless (= 2 (length file)) (bad "a file and its content"))
                (inner-path! (car file)))
              (clause step 'files))
    (for-each (lambda (graph) (inner-path! (car graph)) (for-each known! (cdr graph))) (clause step 'graphs))
    (for-each known! (clause step 'inputs))
    (when (null? (clause step 'outputs)) (bad "an output"))
    (for-each (lambda (output)
                (plain! (car output))
                (new! (cadr output))
                (when (pair? (cddr output))
                  (let ((fixed (cdr (caddr output))))
                    (unless (and (= 3 (length fixed)) (member (car fixed) '("flat" "recursive")) (equal? (cadr fixed) "sha256"))
                      (bad "flat or recursive, and sha256"))
                    (hash! (caddr fixed)))))
              (clause step 'outputs)))
  (inner-path! store)
  (let sources ((rest (cdr clauses)) (references '()))
    (if (and (pair? rest) (eq? 'source (caar rest)))
        (let ((source (cdar rest)))
          (new! (car source))
          (unless (equal? "sha256" (cadr (cadr source))) (bad "sha256"))
          (hash! (caddr (cadr source)))
          (sources (cdr rest) (append (cdr (caddr source)) references)))
        (begin
          (for-each known! references)  ;references between sources may point forwards
          (let steps ((rest rest) (number 1))
            (if (and (pair? rest) (eq? 'step (caar rest)))
                (begin (check-step (car rest) number) (steps (cdr rest) (+ number 1)))
                (begin
                  (unless (= 1 (length rest)) (bad "a result, last"))
                  (for-each known! (after 'result (car rest))))))))))
