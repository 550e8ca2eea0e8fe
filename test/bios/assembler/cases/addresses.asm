; Forms of memory operands
  bits 32
  mov al, [eax * 2]
  mov al, [nosplit eax * 2]
  mov al, [eax * 3]
  mov al, [eax * 5 + 7]
  mov al, [eax + ebx * 8 - 1]
  mov al, [esp]
  mov al, [esp + eax]
  mov al, [eax + esp]
  mov al, [ebp]
  mov al, [ebp + eax]
  mov al, [eax * 1 + ebx]
  mov al, [ebx + eax * 1]
  mov al, [4 + 4 + edx + eax]
  mov al, [8 + edx + eax]
  mov al, [eax + 127]
  mov al, [eax + 128]
  mov al, [eax - 128]
  mov al, [eax + 0xffffff80]
  mov al, [byte eax]
  mov al, [dword eax]
  mov al, [byte eax + 1]
  mov al, [0x12345678]
  mov bl, [0x12345678]
  mov al, [word 0x1234]
  mov al, [bx + si]
  mov al, [bp]
  mov al, [label]
  mov [label], eax
  mov cl, [label + ebx]
  mov cl, [label - base + ebx]
label:
base equ label
  bits 16
  mov al, [bx + si]
  mov al, [si + bx + 1]
  mov al, [bp + di - 3]
  mov al, [bp]
  mov al, [byte bx]
  mov al, [word bx + 1]
  mov al, [bx + 0xffff]
  mov al, [bx + 0x80]
  mov al, [dword 0x1234]
  mov al, [ebx]
  mov al, [ds:5]
  mov ax, [label]
  mov [label], ax
;= 8a04008a0445000000008a04408a4480078a44d8ff8a04248a04048a04048a45008a4405008a0403
;= 8a04038a4410088a4402088a407f8a80800000008a40808a40808a40008a80000000008a4001a078
;= 5634128a1d7856341267a03412678a00678a4600a076000000a3760000008a8b760000008a0b8a00
;= 8a40018a43fd8a46008a47008a8701008a47ff8a87800067a034120000678a033ea00500a17600a3
;= 7600
