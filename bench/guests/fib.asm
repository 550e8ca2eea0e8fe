; Fibonacci numbers by recursion, with arguments on the stack and frame pointers as compilers make them: calls and returns.
; Checksum: fib(24).

%define NAME 'fib'
ITERATIONS      equ 70
EXPECTED        equ 46368

%include "common/start.inc"

N               equ 24

prepare:
        ret

work:
        push dword N
        call fib
        add esp, 4
        ret

fib:
        push ebp
        mov ebp, esp
        push ebx
        mov ebx, [ebp + 8]
        cmp ebx, 2
        jb .small
        lea eax, [ebx - 1]
        push eax
        call fib
        add esp, 4
        sub ebx, 2
        push ebx
        mov ebx, eax
        call fib
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
