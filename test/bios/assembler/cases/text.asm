; String directives and contexts
%strlen length 'hello'
%substr middle 'hello' 2, 3
%substr one 'hello' 2
%substr rest 'hello' 3, -1
%strcat joined 'a', 'bc', "d"
%defstr shown mov ax, bx
%deftok code 'db 5'
  db length, middle, one, rest, joined, shown
  code
%push block
  %define %$x 5
  %$y: db %$x
  dw %$y
  %ifctx block
    db 1
  %endif
  %push inner
    %define %$x 6
    db %$x, %$$x
  %pop
  db %$x
%pop
%define long_line 1, \
  2, \
  3
  db long_line
  db __LINE__
%ifdef __OUTPUT_FORMAT__
  db 7
%endif
  bits 32
  db __BITS__
;= 05656c6c656c6c6f616263646d6f762061782c20627805051700010605050102031c0720
