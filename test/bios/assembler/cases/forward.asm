; Immediates and displacements that depend on what comes later
  add ax, later
  add ax, end - begin
  add ebx, end - begin
  push end - begin
  push later
  mov cx, end - begin
  mov al, [bx + later]
  mov al, [bx + end - begin]
  imul ax, bx, later
  lea si, [bp + di + end - begin]
  resb later
begin:
  times 5 nop
end:
later equ 3
twice equ later * 2
  db twice, third
third equ twice + 1
;= 83c00383c0056683c3056a056a03b905008a47038a47056bc3038d730500000090909090900607
