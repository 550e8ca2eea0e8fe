; Product of two 64 x 64 matrices of signed dwords, the right one read down its columns.
; Checksum: of the product.

%define NAME 'matrix'
ITERATIONS      equ 80
EXPECTED        equ 0x33C1A851

%include "common/start.inc"
%include "common/random.inc"

N               equ 64
ROW             equ N * 4
LEFT            equ DATA
RIGHT           equ LEFT + N * ROW
PRODUCT         equ RIGHT + N * ROW

prepare:
        mov edi, LEFT
        mov ecx, 2 * N * N
        mov eax, SEED
        jmp fill_random

work:
        mov edx, PRODUCT
        mov ebp, LEFT
.row:
        xor ebx, ebx                    ; column
.column:
        push ebx
        lea edi, [RIGHT + ebx * 4]
        mov esi, ebp
        mov ecx, N
        xor ebx, ebx
.term:
        mov eax, [esi]
        imul eax, [edi]
        add ebx, eax
        add esi, 4
        add edi, ROW
        dec ecx
        jnz .term
        mov [edx], ebx
        add edx, 4
        pop ebx
        inc ebx
        cmp ebx, N
        jb .column
        add ebp, ROW
        cmp ebp, RIGHT
        jb .row
        mov esi, PRODUCT
        mov ecx, N * N
        jmp checksum

%include "common/end.inc"
