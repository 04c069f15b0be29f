;;; xboot as a package of Guix, from this clone: `guix shell -f guix/guix.scm -- xboot doctor`
;;;
;;; Python packages that Guix is not known to have are defined here, from PyPI's sdists, at the versions of requirements/run.txt.

(use-modules (guix packages)
             (guix gexp)
             (guix git-download)
             (guix download)
             (guix utils)
             (guix build-system pyproject)
             ((guix build-system python) #:select (pypi-uri))
             ((guix licenses) #:prefix license:)
             (gnu packages))

(define (of-guix . names)
  ;; Packages that Guix has, by their names there.
  (map specification->package names))

(define (from-pypi name file version hash license build needs)
  ;; NAME from PyPI's sdist FILE-VERSION.tar.gz whose SHA-256 is HASH (nix32); BUILD and NEEDS are packages.
  (package
    (name (string-append "python-" name))
    (version version)
    (source (origin
              (method url-fetch)
              (uri (pypi-uri file version))
              (sha256 (base32 hash))))
    (build-system pyproject-build-system)
    (arguments (list #:tests? #f))      ; what is run here is xboot
    (native-inputs build)
    (propagated-inputs needs)
    (home-page #f)
    (synopsis (string-append "Python package " name))
    (description (string-append "Python package " name ", which xboot needs."))
    (license license)))

(define hatchling (of-guix "python-hatchling"))
(define setuptools (of-guix "python-setuptools" "python-setuptools-scm" "python-wheel"))
(define poetry (of-guix "python-poetry-core"))

(define python-qemu-qmp
  (from-pypi "qemu-qmp" "qemu_qmp" "0.0.6" "14kfpz6slqmhfqj178j2r4110j4r3zg1021ln8i92m5b3y3mvhm3" license:lgpl2.0+ setuptools '()))

(define python-pygount
  (from-pypi "pygount" "pygount" "3.2.0" "0aj53pdlg7pvdr9zalbwccaxik1q7hd3dv1y00h4j73rdmn3mc17" license:bsd-3 hatchling
             (of-guix "python-chardet" "python-gitpython" "python-pygments" "python-rich")))

(define python-in-toto-attestation
  (from-pypi "in-toto-attestation" "in_toto_attestation" "0.9.3" "1i78wcl5p4zydxs16kzfgkab8n8wl4ax9sg6zswm6jfr2xsgj36c"
             license:asl2.0 hatchling (of-guix "python-protobuf")))

(define python-securesystemslib
  (from-pypi "securesystemslib" "securesystemslib" "1.6.0" "0xsrld9096cwx1f0iyy1wzh543dyir3qzc9gxv1784dl5g1hfvmi"
             license:expat hatchling (of-guix "python-cryptography")))

(define python-boolean-py
  (from-pypi "boolean.py" "boolean_py" "5.0" "15cd64x2m1cbcnjasw0m2977ab1n0mam8j96schkfxbrs2xc9jv0" license:bsd-2 setuptools '()))

(define python-license-expression
  (from-pypi "license-expression" "license_expression" "30.4.4" "1za0ydhwg62k6y3zi221drj6g38sw34b5i5xjn481l6qmh58yi3k"
             license:asl2.0 setuptools (list python-boolean-py)))

(define python-packageurl
  (from-pypi "packageurl" "packageurl_python" "0.17.6" "09awdv5f48zhlyapvhy526jlnk01z4b8x5pbhrpwlwi320xcwlhj"
             license:expat setuptools '()))

(define python-py-serializable
  (from-pypi "py-serializable" "py_serializable" "2.2.0" "1avsf89cnac7zmbj7h14ybf4l9q964nrrdndii4c06g8ilpa0kwf"
             license:asl2.0 poetry (of-guix "python-defusedxml")))

(define python-cyclonedx-python-lib
  (from-pypi "cyclonedx-python-lib" "cyclonedx_python_lib" "11.12.0" "1kysf3wqamm9sg5fyzma5s2gzf6l1s7qyd03kx7c146y7507qxhn"
             license:asl2.0 poetry
             (append (list python-license-expression python-packageurl python-py-serializable)
                     (of-guix "python-sortedcontainers"))))

(define root (dirname (dirname (current-filename))))

(package
  (name "xboot")
  (version "0.1.0")
  (source (local-file root "xboot-checkout" #:recursive? #t #:select? (git-predicate root)))
  (build-system pyproject-build-system)
  (arguments
   (list #:tests? #f                    ; they need kernels, nix and Debian's packages
         #:phases
         #~(modify-phases %standard-phases
             (add-after 'wrap 'find-programs
               ;; QEMU boots what was built, bubblewrap confines it.
               (lambda* (#:key inputs #:allow-other-keys)
                 (wrap-program (string-append #$output "/bin/xboot")
                   `("PATH" ":" prefix
                     ,(map (lambda (program) (dirname (search-input-file inputs program)))
                           '("bin/qemu-system-x86_64" "bin/bwrap")))))))))
  (native-inputs hatchling)
  (inputs (of-guix "qemu" "bubblewrap" "bash-minimal"))
  (propagated-inputs
   (append (list python-cyclonedx-python-lib python-in-toto-attestation python-pygount python-qemu-qmp python-securesystemslib)
           (of-guix "python-filelock" "python-httpx" "python-jinja2" "python-platformdirs" "python-pluggy" "python-pydantic"
                    "python-pyelftools" "python-rich" "python-typer")))
  (home-page #f)
  (synopsis "Boot a derivation's whole build graph on very small kernels")
  (description
   "xboot unrolls a Nix or Guix derivation's build graph into one linear script, boots it on a very small kernel, and verifies the SHA-256
of every output.  Several kernels that share no code can be compared.")
  (license license:gpl3+))
