; Writes its own code for ever: a routine whose constant is patched before each call, at every 64th time hot enough to be compiled, and an
; instruction that is patched by the one before it. Checksum: of 1024 such rounds (test/bench/reference.ts).

%define NAME 'self-writing'
ITERATIONS      equ 1000000
EXPECTED        equ 0x62394600

%include "common/start.inc"

WRITES          equ 1024
COLD            equ 10
HOT             equ 100000

prepare:
        ; The routine moves to a page of its own: main.inc's code stays as it is.
        mov esi, routine
        mov edi, DATA
        mov ecx, routine_end - routine
        rep movsb
        ret

work:
        xor eax, eax
        mov ebp, WRITES
.round:
        mov [DATA + own.constant - routine + 1], ebp
        mov ecx, COLD
        test ebp, 63
        jnz .call
        mov ecx, HOT
.call:
        mov edx, DATA
        call edx
        dec ebp
        jnz .round
        ret

routine:
        mov edx, ebp
        mov [DATA + own - routine + 2], dl
own:    add eax, byte 0                 ; in the block that writes it
.loop:
        lea eax, [eax + eax * 4]
.constant:
        mov ebx, 0
        add eax, ebx
        dec ecx
        jnz .loop
        ret
routine_end:

%include "common/end.inc"
