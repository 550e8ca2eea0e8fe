; SHA-256 of 16,384 pseudo-random bytes: rotations, additions, long straight code. Eight rounds are unrolled, the state is in memory.
; Source: FIPS 180-4. Checksum: the eight words of the digest, XORed.

%define NAME 'sha256'
ITERATIONS      equ 150
EXPECTED        equ 0x913FDFBB

%include "common/start.inc"
%include "common/random.inc"

LENGTH          equ 16384
MESSAGE         equ DATA
SCHEDULE        equ DATA + 0x10000      ; 64 dwords
STATE           equ DATA + 0x11000      ; a to h while a block is worked on
DIGEST          equ DATA + 0x12000
BLOCK_END       equ MESSAGE + LENGTH + 64

; The message and its padding block
prepare:
        mov edi, MESSAGE
        mov ecx, LENGTH / 4
        mov eax, SEED
        call fill_random
        mov dword [edi], 0x80
        xor eax, eax
        mov ecx, 14
.zero:
        add edi, 4
        mov [edi], eax
        dec ecx
        jnz .zero
        mov eax, LENGTH * 8
        bswap eax
        mov [edi + 4], eax
        ret

; Slot of variable %1 (0 = a to 7 = h) in the %2nd of eight rounds: the names move on, the values stay
%define VAR(name, step) [esi + (((name) - (step)) & 7) * 4]

; Round %1 of eight; EDI = number of the first one, ESI = STATE
%macro ROUND 1
        mov eax, VAR(4, %1)
        mov ecx, eax
        ror ecx, 6
        mov edx, eax
        ror edx, 11
        xor ecx, edx
        ror edx, 14
        xor ecx, edx                    ; Sigma1(e)
        mov edx, VAR(5, %1)
        mov ebx, VAR(6, %1)
        xor edx, ebx
        and edx, eax
        xor edx, ebx                    ; Ch(e, f, g)
        add ecx, edx
        add ecx, VAR(7, %1)
        add ecx, [constants + edi * 4 + %1 * 4]
        add ecx, [SCHEDULE + edi * 4 + %1 * 4] ; T1
        add VAR(3, %1), ecx
        mov eax, VAR(0, %1)
        mov edx, eax
        ror edx, 2
        mov ebx, eax
        ror ebx, 13
        xor edx, ebx
        ror ebx, 9
        xor edx, ebx                    ; Sigma0(a)
        mov ebx, VAR(1, %1)
        mov ebp, eax
        or eax, ebx
        and ebp, ebx
        and eax, VAR(2, %1)
        or eax, ebp                     ; Maj(a, b, c)
        add edx, eax
        add edx, ecx
        mov VAR(7, %1), edx
%endmacro

work:
        mov ecx, 8
.start:
        mov eax, [initial + ecx * 4 - 4]
        mov [DIGEST + ecx * 4 - 4], eax
        dec ecx
        jnz .start
        mov esi, MESSAGE
.block:
        push esi
        xor edi, edi
.words:
        mov eax, [esi + edi * 4]
        bswap eax
        mov [SCHEDULE + edi * 4], eax
        inc edi
        cmp edi, 16
        jb .words
.extend:
        mov eax, [SCHEDULE + edi * 4 - 15 * 4]
        mov ebx, eax
        mov edx, eax
        ror ebx, 7
        ror edx, 18
        shr eax, 3
        xor ebx, edx
        xor ebx, eax                    ; sigma0
        mov eax, [SCHEDULE + edi * 4 - 2 * 4]
        mov ecx, eax
        mov edx, eax
        ror ecx, 17
        ror edx, 19
        shr eax, 10
        xor ecx, edx
        xor ecx, eax                    ; sigma1
        add ebx, ecx
        add ebx, [SCHEDULE + edi * 4 - 16 * 4]
        add ebx, [SCHEDULE + edi * 4 - 7 * 4]
        mov [SCHEDULE + edi * 4], ebx
        inc edi
        cmp edi, 64
        jb .extend

        mov esi, STATE
        mov ecx, 8
.load:
        mov eax, [DIGEST + ecx * 4 - 4]
        mov [STATE + ecx * 4 - 4], eax
        dec ecx
        jnz .load
        xor edi, edi
.rounds:
%assign step 0
%rep 8
        ROUND step
%assign step step + 1
%endrep
        add edi, 8
        cmp edi, 64
        jb .rounds
        mov ecx, 8
.add:
        mov eax, [STATE + ecx * 4 - 4]
        add [DIGEST + ecx * 4 - 4], eax
        dec ecx
        jnz .add
        pop esi
        add esi, 64
        cmp esi, BLOCK_END
        jb .block

        xor eax, eax
        mov ecx, 8
.fold:
        xor eax, [DIGEST + ecx * 4 - 4]
        dec ecx
        jnz .fold
        ret

        align 4, db 0
initial:
        dd 0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A
        dd 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19
constants:
        dd 0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5
        dd 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5
        dd 0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3
        dd 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174
        dd 0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC
        dd 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA
        dd 0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7
        dd 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967
        dd 0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13
        dd 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85
        dd 0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3
        dd 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070
        dd 0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5
        dd 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3
        dd 0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208
        dd 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2

%include "common/end.inc"
