; Section order, alignment and addresses
  section .bss
buffer: resb 3
word_buffer: resw 1
  section .data
value: dw buffer, word_buffer, value
  section .extra
e: db 3, e
  section .text
  mov ax, [value]
  mov di, buffer
  mov bx, value2
  jmp far_code
  section .packed align=1
  db 4
far_code: nop
  jmp start
  section .data
value2: dd value2, far_code
  section .text
start: nop
;= a11000bf2800bb1600e917009000000028002b0010001600000023000000000003200490e9e5ff
