; Single-line macros
%define one 1
%define twice(x) ((x) * 2)
%define sum(a, b) (a + b)
%define nested(x) twice(sum(x, one))
  db one, twice(3), sum(1, 2), nested(4), twice (5)
%define one 11
  db one
%undef one
%ifdef one
  db 0xff
%endif
%define late value
%xdefine early value
%define value 5
  db late
%define value 6
  db late
%xdefine frozen value
%define value 7
  db frozen, late
%idefine AnyCase 9
  db anycase, ANYCASE
%assign n 5
%assign n n * 2 + 1
  db n
%assign negative -3
  db negative, 1 - negative, negative * 2
%define glue(a, b) a %+ b
  mov glue(e, ax), 1
%define reg(x) e %+ x %+ x
ebb equ 3
  mov ax, reg(b)
%define f() 7
  db f()
%define over(a) 1
%define over(a, b) 2
  db over(0), over(0, 0)
value%[n]: db value11 - $$
  db twice(sum(3, 1))
;= 0106030a0a0b0506060709090bfd04fa66b801000000b803000701021c08
