; Multi-line macros
%macro nothing 0
  nop
%endmacro
  nothing
%macro two 2
  mov %1, %2
%endmacro
  two ax, 5
  two {word [bx]}, 6
%macro defaults 1-3 7, 8
  db %1, %2, %3, %0
%endmacro
  defaults 1
  defaults 1, 2
  defaults 1, 2, 3
%macro greedy 2+
  db %1
  db %2
%endmacro
  greedy 1, 2, 3, 4
%macro any 0-*
  db %0
  %rep %0
    db %1
  %rotate 1
  %endrep
%endmacro
  any
  any 5, 6, 7
%macro reversed 1-*
  %rep %0
    %rotate -1
    push %1
  %endrep
%endmacro
  reversed ax, bx, cx
%macro over 1
  db 1
%endmacro
%macro over 2
  db 2
%endmacro
  over x
  over x, y
%macro wait_for 1
%%again:
  in al, %1
  test al, al
  jz %%again
%endmacro
  wait_for 0x60
  wait_for 0x64
%macro jump_unless 2
  j%-1 %2
  j%+1 %2
%endmacro
  jump_unless c, $
  jump_unless nz, $
%macro name 1
name_%1: db 1
%1_name: db 2
.%1: db 3
  dw name_%1, %1_name, .%1
%endmacro
  name first
%macro push 2
  push %1
  push %2
%endmacro
  push ax, bx
lab: nothing
  dw lab
%macro braces 2
  db %1
  db %2
%endmacro
  braces {1, 2}, {3, 4}
%imacro AnyCase 1
  db %1
%endmacro
  anycase 4
%macro quit 1
  db 1
  %if %1
    %exitmacro
  %endif
  db 2
%endmacro
  quit 1
  quit 0
%macro ranged 1-*
  db %{2:-1}
  db %{-1:1}
%endmacro
  ranged 1, 2, 3, 4
%unmacro over 2
%macro string 1
  %strlen len %1
  db len, %1
%endmacro
  string 'hello'
;= 90b80500c70706000107080301020803010203030102030400030506075153500102e46084c074fa
;= e46484c074fa73fe72fe74fe75fe0102033600370038005053904100010203040401010202030404
;= 0302010568656c6c6f
