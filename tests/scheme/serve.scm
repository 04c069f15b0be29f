;; Answers questions of the tests, one a line:
;;   sha256 FILE
;;   nar FOLDER NAME PART...      hash, size, and which PARTs (names with a hash part to look for) occur
;;   dump FOLDER NAME FILE        writes the NAR to FILE
;;   threads                      how many there are after collections, when the executor wants one
;;   parse FILE                   `accepted` when FILE is a script that the executor would run
(use-modules (xboot script) (xboot sha256) (xboot nar) (xboot system) (ice-9 rdelim) (ice-9 binary-ports) (srfi srfi-11) (system foreign))

(set-failure! (lambda (kind why) (throw 'failed (string-append "fail " kind " " why))))

(define (dump folder name file)
  (let ((dir (open-directory AT_FDCWD folder)) (port (open-file file "wb")))
    (nar-write dir name (lambda (bv start end) (put-bytevector port bv start (- end start))))
    (close-port port)
    (call 'close dir)
    "written"))

(define (nar folder name parts)
  (let*-values (((dir) (open-directory AT_FDCWD folder))
                ((hash size found) (nar-hash dir name parts)))
    (call 'close dir)
    (string-join (cons* hash (number->string size) (sort found string<?)) " ")))

(define (parse file)
  (check-script (parse-script (call-with-input-file file get-string-latin1)))
  "accepted")

(define (get-string-latin1 port)
  (set-port-encoding! port "ISO-8859-1")
  (let ((text (read-string port)))
    (if (eof-object? text) "" text)))

;; The main thread's task is always there; a finalizer thread is started by the first collection that finds work.
(define (threads)
  (single-threaded!)
  (do ((i 0 (+ i 1))) ((= i 5))
    (make-guardian)
    (string->pointer (make-string 100000 #\x))
    (gc))
  (finalize!)
  (number->string (length (directory-names (open-directory AT_FDCWD "/proc/self/task")))))

(define (answer words)
  (case (string->symbol (car words))
    ((sha256) (file-hash AT_FDCWD (cadr words)))
    ((nar) (nar (cadr words) (caddr words) (cdddr words)))
    ((dump) (apply dump (cdr words)))
    ((threads) (threads))
    ((parse) (parse (cadr words)))))

(let loop ()
  (let ((line (read-line)))
    (unless (eof-object? line)
      (display (catch #t
                 (lambda () (answer (string-split line #\space)))
                 (lambda (key . arguments) ;whatever else goes wrong ends the executor too, see `guarded`
                   (if (eq? key 'failed)
                       (car arguments)
                       (string-append "fail internal " (symbol->string key))))))
      (newline)
      (force-output)
      (loop))))
