; Jump sizes chosen over several passes
  bits 16
start:
  jmp near_label
  jmp far_label
  jz far_label
  jnz near_label
  call far_label
  jmp short near_label
  jmp near near_label
  jmp strict near near_label
  jmp dword far_label
  jmp word far_label
  loop start
  loop start, ecx
  jcxz start
  jecxz start
near_label:
  times 110 nop
  jmp start
  jc start
  times 10 nop
  jmp start
  jc start
  jmp $
  jmp $$
far_label:
  jmp 0x1234:0x5678
  jmp far_label
  call 0xf000:far_label
  jmp far [bx]
  jmp far dword [bx]
  bits 32
  jmp near_label
  jmp start
  jz start
  call start
  jmp 8:start
  jmp word 8:start
  call dword [eax]
  jmp far [eax]
;= eb27e9af000f84ab00751ee8a600eb19e91600e9130066e998000000e99500e2df67e2dce3da67e3
;= d7909090909090909090909090909090909090909090909090909090909090909090909090909090
;= 90909090909090909090909090909090909090909090909090909090909090909090909090909090
;= 90909090909090909090909090909090909090909090909090909090909090e966ff0f8262ff9090
;= 9090909090909090e955ff0f8251ffebfee94cffea78563412ebf99ab40000f0ff2f66ff2fe95fff
;= ffffe931ffffff0f842bffffffe826ffffffea00000000080066ea00000800ff10ff28
