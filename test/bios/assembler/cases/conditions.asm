; Conditional assembly
%define a 1
%if a
  db 1
%elif 1
  db 2
%else
  db 3
%endif
%if 0
  this is ' not read
%elif a == 1 && 2 > 1
  db 4
%else
  db 5
%endif
%ifdef a
  db 6
%endif
%ifndef a
  db 7
%else
  db 8
%endif
%ifidn abc, abc
  db 9
%endif
%ifidni ABC, abc
  db 10
%endif
%ifnidn abc, ABC
  db 11
%endif
%ifid foo
  db 12
%endif
%ifnum 5
  db 13
%endif
%ifstr 'x'
  db 14
%endif
%ifempty
  db 15
%endif
%iftoken foo
  db 16
%endif
%macro m 2
%endmacro
%ifmacro m
  db 17
%endif
%ifmacro m 3
  db 18
%endif
%ifnmacro none
  db 19
%endif
%if 1
  %if 0
    db 20
  %else
    db 21
  %endif
%endif
%ifn 0
  db 22
%endif
%if 0
%elifdef a
  db 23
%endif
%macro kind 1
  %ifnum %1
    db 24
  %elifstr %1
    db 25
  %elifid %1
    db 26
  %else
    db 27
  %endif
%endmacro
  kind 5
  kind 'x'
  kind y
  kind [z]
;= 01040608090a0b0c0d0e0f10111315161718191a1b
