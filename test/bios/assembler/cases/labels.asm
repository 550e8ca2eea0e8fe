; Local labels, EQU between them, special labels
foo:
.a: db 1
bar equ 5
.b: db .a - $$, foo.a - $$
..@special: db 2
.c db .b - $$
other: db 3
.a: db .a - $$, foo.a - $$, other.a - $$
$eax: db 4
  dw $eax
  dw foo.c
name.with.dots: db 5
.z: dw name.with.dots.z
;= 0100000201030600060409000400050f00
