; Sieve of Eratosthenes over the numbers below 262,144, a byte each. Byte stores at growing strides over 64 pages, short loops.
; Checksum: h = h * 31 + p over all primes p.

%define NAME 'sieve'
ITERATIONS      equ 40
EXPECTED        equ 0x71836989

%include "common/start.inc"

LIMIT           equ 262144
ROOT            equ 512

prepare:
        ret

work:
        mov edi, DATA
        mov ecx, LIMIT / 4
        xor eax, eax
.clear:
        mov [edi], eax
        add edi, 4
        dec ecx
        jnz .clear

        mov ebx, 2
.candidate:
        cmp byte [DATA + ebx], 0
        jne .not_prime
        mov esi, ebx
        imul esi, ebx
.strike:
        mov byte [DATA + esi], 1
        add esi, ebx
        cmp esi, LIMIT
        jb .strike
.not_prime:
        inc ebx
        cmp ebx, ROOT
        jb .candidate

        xor eax, eax
        mov ebx, 2
.sum:
        cmp byte [DATA + ebx], 0
        jne .next
        imul eax, eax, 31
        add eax, ebx
.next:
        inc ebx
        cmp ebx, LIMIT
        jb .sum
        ret

%include "common/end.inc"
