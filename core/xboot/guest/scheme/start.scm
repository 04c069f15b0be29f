;; What Guile runs as process 1.
((@ (xboot executor) boot))
