; dup, ?, lists, reserve, times
  db 3 dup (1, 2), ?, 2 dup (3 dup (7), 8)
  dw 2 dup (?), 5
  db %(1, 2), word %(3, 4)
  db 2 dup word (5)
  times 4 db 1, 2
  times 3 dw $
  times 2 db $ - $$
  resb 3
  resw 2
  db 0xff
  db -128, 255, 0x100 - 1
;= 01020102010200070707080707070800000000050001020300040005000500010201020102010227
;= 00270027002d2d00000000000000ff80ffff
