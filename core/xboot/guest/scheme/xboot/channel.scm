;;; The result channel (docs/contract.md, sections 5 to 7), the export window, and the end of the machine.
;;;
;;; Without (expect-channel!) the same lines go to standard output, with `-` for the nonce, and the end is an exit
;;; status: so it is when a person runs the build by hand.

(define-module (xboot channel)
  #:use-module (rnrs bytevectors)
  #:use-module (system foreign)
  #:use-module (xboot nar)
  #:use-module (xboot script)
  #:use-module (xboot system)
  #:export (expect-channel! open-channel! report step-is! say done export-output))

(define longest (ash 1 20))             ;bytes of a line
(define port #f)                        ;descriptor of the second serial port; only we can open it
(define nonce "-")
(define step 0)
(define (step-is! n) (set! step n))
(define window #f)                      ;base, size
(define exported '())

(define (write-text fd s) (write-all fd (latin1 s) (string-length s)))
(define (say . parts) (write-text 1 (string-append "xboot: " (string-concatenate parts) "\n")))

(define (datum x)
  (cond ((string? x) (quoted x))
        ((number? x) (number->string x))
        ((symbol? x) (symbol->string x))
        (else (string-append "(" (string-join (map datum x) " ") ")"))))

(define (report word . fields)
  (let ((line (string-append (datum (cons* word nonce fields)) "\n")))
    (when (> (string-length line) longest)
      (fail "limit" "the references of an output do not fit into a line of 1 MiB: " (symbol->string word)))
    (write-text (or port 1) line)))

;;; the end

(define (end-machine byte)
  (cond
   (port
    (call 'ioctl port #x5409 1)         ;TCSBRK 1: what was written must have left the ports
    (call 'ioctl 1 #x5409 1)
    (out-byte #xf4 byte)
    ;; The machine has no exit device: it stands still. Were this process to end, a PC would start again.
    (say (string-append "this machine has no exit device; it is halted. What it was to end with: " (number->string byte 16)))
    (call 'pause)
    (call 'exit_group 1))                     ;the kernel panics: not the success status either
   (else (call 'exit_group (if (= byte #x31) 0 1)))))

(define (done)
  (report 'done)
  (end-machine #x31))

(define failing #f)
(set-failure!
 (lambda (kind why)
   (when (or failing (and port (string=? nonce "-"))) ;before the run line, or while reporting a failure
     (say why)
     (end-machine #x11))
   (set! failing #t)
   (report 'fail step (string->symbol kind) (if (> (string-length why) 4000) (substring why 0 4000) why))
   (end-machine #x21)))

;;; the start

;; struct termios of the kernel: four words of flags, the line discipline, 19 control characters. No echo, every
;; byte as it is; read returns at every byte. Not a terminal: nothing would touch the bytes.
(define (make-raw fd)
  (let ((t (make-bytevector 64 0)))
    (when (>= (call 'ioctl fd #x5401 t) 0) ;TCGETS
      (bytevector-fill! t 0)
      (bytevector-u32-native-set! t 8 #x18b2) ;115200 baud, 8 bits, receiver on, no modem lines
      (bytevector-u8-set! t (+ 17 6) 1)
      (call 'ioctl fd #x5402 t))))      ;TCSETS

(define one (permanent 1))
(define (read-line*)
  (let loop ((n 0) (bytes '()))
    (cond
     ((= n longest) (fail "limit" "the host's line is longer than 1 MiB"))
     ((not (= 1 (read-into port one))) (loop n bytes))
     ((= 10 (bytevector-u8-ref one 0)) (list->string (reverse bytes)))
     (else (loop (+ n 1) (cons (integer->char (bytevector-u8-ref one 0)) bytes))))))

;; From here on a failure ends the machine, with the status of an executor that gave up until there is a nonce.
(define (expect-channel!) (set! port -1))

;; (run "NONCE" BASE SIZE PATH...): like the script, it must be what its own datum is written as.
(define (open-channel!)
  (set! port (must "opening the result channel" "/dev/ttyS1" (open-to-read AT_FDCWD "/dev/ttyS1" (logior O_RDWR O_NOCTTY))))
  (make-raw port)
  (write-text port "(xboot 1)\n")
  (let* ((line (read-line*)) (x (call-with-input-string line read)))
    (unless (and (list? x) (<= 4 (length x)) (eq? 'run (car x)) (number? (caddr x)) (number? (cadddr x))
                 (string=? line (datum x))
                 (= 32 (string-length (cadr x)))
                 (string-every (lambda (c) (or (char<=? #\0 c #\9) (char<=? #\a c #\f))) (cadr x)))
      (fail "internal" "the host's line is not what the contract says"))
    (set! nonce (cadr x))
    (when (>= (cadddr x) (ash 1 31))
      (fail "limit" "the export window is 2 GiB or larger"))
    (set! window (and (> (cadddr x) 0) (cons (caddr x) (cadddr x))))
    (set! exported (cddddr x))))

;;; export: the NAR once more, through a window of memory that the kernel does not use

(define mapped #f)
(define (map-window!)
  (let* ((fd (must "opening" "/dev/mem" (open-to-read AT_FDCWD "/dev/mem" O_RDWR)))
         (address (call 'mmap 0 (cdr window) 3 1 fd (car window)))) ;readable, writable; shared
    (must "mapping the export window" "/dev/mem" address)
    (call 'close fd)
    (set! mapped (pointer->bytevector (make-pointer address) (cdr window)))))

(define (export-output number name path dir)
  (when (and window (member path exported))
    (unless mapped (map-window!))
    (let ((offset 0) (fill 0))
      (define (hand-over)
        (report 'export number name offset fill)
        (unless (string=? (read-line*) "(ack)")
          (fail "internal" "the host did not acknowledge an export"))
        (set! offset (+ offset fill))
        (set! fill 0))
      (nar-write dir (store-name path)
                 (lambda (bv start end)
                   (let loop ((start start))
                     (when (< start end)
                       (let ((n (min (- end start) (- (cdr window) fill))))
                         (bytevector-copy! bv start mapped fill n)
                         (set! fill (+ fill n))
                         (when (= fill (cdr window)) (hand-over))
                         (loop (+ start n)))))))
      (when (> fill 0) (hand-over)))))
