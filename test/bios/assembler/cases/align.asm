; align and alignb, with nops, data and in bss
  db 1
  align 4
  db 1
  align 8, db 0
  db 2
  alignb 16
  db 3
  align 4
a: db a - $$
  align 4, db 0xcc
  section .bss
  resb 1
  alignb 4
b: resb 1
  align 8
c: resb 1
  section .text
  dw b, c
;= 019090900100000002000000000000000390909014cccccc24002800
