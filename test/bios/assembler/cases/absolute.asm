; Absolute parts and their plain numbers
  absolute 0x400
com: resw 4
lpt: resw 4
equipment: resw 1
.low equ equipment
bda_size equ $ - $$
  section .text
  mov ax, [equipment]
  mov [es:equipment], ax
  mov [bx + equipment - 0x400], al
  add ax, equipment - 0x400
  db bda_size, lpt - com
  dw equipment
  [absolute 0x10]
q: resd 1
r: resb 1
  __SECT__
  db q, r
;= a1100426a3100488471083c010120810041014
