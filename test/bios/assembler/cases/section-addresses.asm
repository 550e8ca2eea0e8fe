; start, vstart, follows, vfollows, align
  org 0x100
  section first start=0x110
  db 1
  section second start=0x120 vstart=0x1000
l: dw l
  section third vstart=0x8000 align=16 follows=second
m: dw m
  section .text
t: dw t, l, m
;= 00010010008000000000000000000000010000000000000000000000000000000010000000000000
;= 00000000000000000080
