; Prefixes and their order
  es mov ax, [bx]
  mov ax, [es:bx]
  mov ax, es:[bx]
  mov ax, [fs:ebx]
  mov eax, [gs:0x1234]
  rep movsb
  es rep lodsw
  repne scasd
  repe cmpsb
  lock add word [es:si], 5
  a32 movsb
  a32 es rep lodsd
  o32 ret
  o32 retf
  o32 iret
  o32 pushf
  o32 push ds
  o32 lgdt [bx]
  o32 call far [bx]
  a16 o32 es lodsb
  wait
  fwait
  rep
  es
  bits 32
  mov ax, [es:bx]
  a16 rep movsw
  o16 ret
  o16 push es
;= 268b07268b07268b0764678b036566a13412f3a4f326adf266aff3a6f02683040567a4f3266667ad
;= 66c366cb66cf669c661e660f011766ff1f2666ac9b9bf3262666678b07f36667a566c36606
