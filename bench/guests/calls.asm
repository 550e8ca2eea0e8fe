; Fibonacci numbers by recursion between two functions that lie in different pages: calls and returns that leave the page each time.
; Checksum: fib(24).

%define NAME 'calls'
ITERATIONS      equ 70
EXPECTED        equ 46368

%include "common/start.inc"

N               equ 24

prepare:
        ret

work:
        push dword N
        call even
        add esp, 4
        ret

even:
        push ebp
        mov ebp, esp
        push ebx
        mov ebx, [ebp + 8]
        cmp ebx, 2
        jb .small
        lea eax, [ebx - 1]
        push eax
        call odd
        add esp, 4
        sub ebx, 2
        push ebx
        mov ebx, eax
        call odd
        add esp, 4
        add eax, ebx
        pop ebx
        pop ebp
        ret
.small:
        mov eax, ebx
        pop ebx
        pop ebp
        ret

        times 4096 nop

odd:
        push ebp
        mov ebp, esp
        push ebx
        mov ebx, [ebp + 8]
        cmp ebx, 2
        jb .small
        lea eax, [ebx - 1]
        push eax
        call even
        add esp, 4
        sub ebx, 2
        push ebx
        mov ebx, eax
        call even
        add esp, 4
        add eax, ebx
        pop ebx
        pop ebp
        ret
.small:
        mov eax, ebx
        pop ebx
        pop ebp
        ret

%include "common/end.inc"
