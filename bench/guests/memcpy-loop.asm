; Copies 64 KB sixteen times with a loop of dword moves, source and destination each time 4 bytes further.
; Checksum: of the destination.

%define NAME 'memcpy-loop'
ITERATIONS      equ 100
EXPECTED        equ 0x20A36448

%include "common/start.inc"
%include "common/random.inc"

SIZE            equ 65536
PASSES          equ 16
SOURCE          equ DATA
TARGET          equ DATA + 0x144000     ; no multiple of 1 MB from the source: translators find pages by the low bits of their number

prepare:
        mov edi, SOURCE
        mov ecx, (SIZE + PASSES * 4) / 4
        mov eax, SEED
        jmp fill_random

work:
        xor ebx, ebx
.pass:
        lea esi, [SOURCE + ebx * 4]
        lea edi, [TARGET + ebx * 4]
        mov ecx, SIZE / 4
.copy:
        mov eax, [esi]
        mov [edi], eax
        add esi, 4
        add edi, 4
        dec ecx
        jnz .copy
        inc ebx
        cmp ebx, PASSES
        jb .pass
        mov esi, TARGET
        mov ecx, SIZE / 4
        jmp checksum

%include "common/end.inc"
