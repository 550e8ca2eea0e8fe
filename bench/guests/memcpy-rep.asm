; Copies 256 KB four times with REP MOVSD, 64 KB with REP MOVSB from an odd address, and clears 64 KB with REP STOSD.
; An iteration of REP counts as an instruction.
; Checksum: h = (h rotated left by 5) + dword of the destination + dword of the bytes copied, 64 of each spread over them.

%define NAME 'memcpy-rep'
ITERATIONS      equ 2000
EXPECTED        equ 0xB046F256

%include "common/start.inc"
%include "common/random.inc"

SIZE            equ 262144
PASSES          equ 4
PART            equ 65536
SOURCE          equ DATA
TARGET          equ DATA + 0x150000     ; no multiple of 1 MB from the source: translators find pages by the low bits of their number
BYTES           equ DATA + 0x1A0000

prepare:
        mov edi, SOURCE
        mov ecx, SIZE / 4
        mov eax, SEED
        jmp fill_random

work:
        mov edi, BYTES
        mov ecx, PART / 4
        xor eax, eax
        rep stosd
        mov ebx, PASSES
.pass:
        mov esi, SOURCE
        mov edi, TARGET
        mov ecx, SIZE / 4
        rep movsd
        dec ebx
        jnz .pass
        mov esi, SOURCE + 1
        mov edi, BYTES
        mov ecx, PART - 4
        rep movsb

        xor eax, eax
        mov ebx, 63
.sum:
        mov edx, ebx
        shl edx, 10
        rol eax, 5
        add eax, [TARGET + edx * 4]
        add eax, [BYTES + edx]
        dec ebx
        jns .sum
        ret

%include "common/end.inc"
