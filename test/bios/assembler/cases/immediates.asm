; Immediate sizes and how to force them
  add ax, 5
  add bx, 5
  add ax, 500
  add ax, -128
  add ax, 0xff80
  add ax, 200
  add bx, strict word 5
  add bx, strict 5
  add bx, byte 5
  add ax, byte 5
  add eax, 5
  add eax, 0xffffff80
  add al, 5
  add bl, 5
  add [bx], byte 5
  add [bx], word 5
  add word [bx], 5
  add word [bx], byte 5
  cmp dword [bx], 100000
  push 5
  push 500
  push word 5
  push dword 5
  push byte 5
  push strict word 5
  push strict dword 5
  imul ax, 5
  imul ax, bx, 5
  imul ax, bx, 500
  imul eax, [bx], 5
  test al, 1
  test bx, 1
  mov word [bx], 5
  mov [bx], word 5
  shl ax, 1
  shl ax, byte 1
  shl ax, 4
  shl byte [bx], cl
  enter 5, 1
  ret 4
  aam 16
  int 0x10
  out 0x80, al
;= 83c00583c30505f40183c08083c08005c80081c3050081c3050083c30583c0056683c0056683c080
;= 040580c30580070583070583070583070566813fa08601006a0568f4016a05666a056a0568050066
;= 68050000006bc0056bc30569c3f401666b0705a801f7c30100c7070500c7070500d1e0c1e001c1e0
;= 04d227c8050001c20400d410cd10e680
