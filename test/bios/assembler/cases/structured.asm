; Macros that build on each other: blocks with contexts, procedures with named arguments, tables, numbers from parts
%macro if 1
  %push if
  j%-1 %$else
%endmacro
%macro else 0
  jmp %$end
  %$else:
  %repl else
%endmacro
%macro endif 0
  %ifctx if
    %$else:
    %pop
  %elifctx else
    %$end:
    %pop
  %endif
%endmacro
  cmp ax, 5
  if e
    inc ax
  else
    dec ax
  endif
  if c
    nop
  endif

%macro proc 1
  %push proc
%1:
  push bp
  mov bp, sp
  %assign %$arg 4
%endmacro
%macro arg 1
  %define %1 bp+%$arg
  %assign %$arg %$arg+2
%endmacro
%macro endproc 0
  pop bp
  ret %$arg-4
  %pop
%endmacro
  proc add_two
    arg first
    arg second
    mov ax, [first]
    add ax, [second]
  endproc

%macro vector 1
  dw 0x%1, %1h
  db __LINE__
%endmacro
  vector 12
%xdefine list 1
%xdefine list list, 2
%xdefine list list, 3
  db list, __LINE__
%assign i 0
%rep 4
label_%[i]: db i
%assign i i+1
%endrep
  dw label_0, label_3
%macro mov 3
  mov %1, %2
  add %1, %3
%endmacro
  mov ax, bx, 5
  mov ax, bx
  db 1.5
;= 83f805750340eb01487301905589e58b46080346085dc2040012001200370102033d000102032200
;= 250089d883c00589d83c
