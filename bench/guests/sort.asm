; Quicksort (Hoare's partition, middle element as pivot) of 16,384 pseudo-random signed dwords: unpredictable branches.
; Checksum: of the sorted array, or 0 if it is not sorted.

%define NAME 'sort'
ITERATIONS      equ 70
EXPECTED        equ 0x384567E5

%include "common/start.inc"
%include "common/random.inc"

COUNT           equ 16384

prepare:
        ret

work:
        mov edi, DATA
        mov ecx, COUNT
        mov eax, SEED
        call fill_random
        mov esi, DATA
        mov edi, DATA + (COUNT - 1) * 4
        call quicksort
        mov esi, DATA
        mov ecx, COUNT - 1
.check:
        mov eax, [esi]
        add esi, 4
        cmp eax, [esi]
        jg .unsorted
        dec ecx
        jnz .check
        mov esi, DATA
        mov ecx, COUNT
        jmp checksum
.unsorted:
        xor eax, eax
        ret

; ESI = first element, EDI = last. The left part by recursion, the right one by going round.
quicksort:
        cmp esi, edi
        jae .end
        mov eax, edi
        sub eax, esi
        shr eax, 3
        mov edx, [esi + eax * 4]        ; pivot
        mov ebx, esi
        mov ecx, edi
.up:
        cmp [ebx], edx
        jge .down
        add ebx, 4
        jmp .up
.down:
        cmp [ecx], edx
        jle .swap
        sub ecx, 4
        jmp .down
.swap:
        cmp ebx, ecx
        ja .split
        mov eax, [ebx]
        mov ebp, [ecx]
        mov [ebx], ebp
        mov [ecx], eax
        add ebx, 4
        sub ecx, 4
        cmp ebx, ecx
        jbe .up
.split:
        push edi
        push ebx
        mov edi, ecx
        call quicksort
        pop esi
        pop edi
        jmp quicksort
.end:
        ret

%include "common/end.inc"
