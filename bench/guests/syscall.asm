; 20,000 system calls from ring 3 with paging on. The kernel's side is that of a small Unix: an interrupt gate to ring 0 on the stack of
; the TSS, segment registers saved and loaded, a call through a table, IRET. In turn: a constant, a sum, a copy of 16 bytes.
; Source: Intel SDM vol. 3, chapters 4 (paging), 6 (interrupts), 7 (TSS). Checksum: h = h * 31 + result over all calls.

%define NAME 'syscall'
ITERATIONS      equ 25
EXPECTED        equ 0x24BB2F10

%include "common/start.inc"

CALLS           equ 20000
PAGE_DIRECTORY  equ DATA + 0x80000
PAGE_TABLE      equ DATA + 0x81000
IDT             equ DATA + 0x82000
TSS             equ DATA + 0x83000
KERNEL_STACK    equ DATA + 0x88000
KERNEL_BUFFER   equ DATA + 0x89000
USER_STACK      equ DATA + 0x100000
USER_BUFFER     equ DATA + 0x101000

SYS_EXIT        equ 0
SYS_GETPID      equ 1
SYS_ADD         equ 2
SYS_WRITE       equ 3
PID             equ 86

prepare:
        ; The first 4 MB at their own addresses, open to ring 3
        mov edi, PAGE_TABLE
        mov eax, 7
.page:
        mov [edi], eax
        add edi, 4
        add eax, 4096
        cmp eax, 0x400000
        jb .page
        mov edi, PAGE_DIRECTORY
        mov ecx, 1024
        xor eax, eax
        rep stosd
        mov dword [PAGE_DIRECTORY], PAGE_TABLE + 7
        ; IDT: only INT 80h
        mov edi, IDT
        mov ecx, 256 * 2
        rep stosd
        mov eax, system_call
        mov word [IDT + 0x80 * 8], ax
        mov word [IDT + 0x80 * 8 + 2], CODE32
        mov word [IDT + 0x80 * 8 + 4], 0xEE00 ; 32-bit interrupt gate, DPL 3
        shr eax, 16
        mov word [IDT + 0x80 * 8 + 6], ax
        lidt [idt_pointer]
        ; TSS: stack of ring 0, no I/O bitmap
        mov edi, TSS
        mov ecx, 26
        xor eax, eax
        rep stosd
        mov dword [TSS + 4], KERNEL_STACK
        mov dword [TSS + 8], DATA32
        mov word [TSS + 102], 104
        mov dword [gdt_task], 103 | (TSS & 0xFFFF) << 16
        mov dword [gdt_task + 4], TSS >> 16 & 0xFF | 0x8900 | TSS & 0xFF000000
        mov ax, TASK
        ltr ax
        mov eax, PAGE_DIRECTORY
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        jmp .on
.on:
        ret

work:
        mov [KERNEL_BUFFER + 64], esp   ; where SYS_EXIT comes back to
        mov ax, USER_DATA
        mov ds, ax
        mov es, ax
        push dword USER_DATA
        push dword USER_STACK
        pushfd
        push dword USER_CODE
        push dword user
        iret

; Ring 3
user:
        xor ebp, ebp                    ; checksum
        mov esi, CALLS
        mov dword [USER_BUFFER], 0x6C6C6163
        mov dword [USER_BUFFER + 8], 0x86
.next:
        mov [USER_BUFFER + 4], esi
        mov [USER_BUFFER + 12], ebp
        mov eax, esi
        and eax, 3
        jnz .chosen
        mov eax, SYS_WRITE
.chosen:
        mov ebx, esi
        mov ecx, USER_BUFFER
        mov edx, 16
        int 0x80
        imul ebp, ebp, 31
        add ebp, eax
        dec esi
        jnz .next
        mov ebx, ebp
        mov eax, SYS_EXIT
        int 0x80

; Ring 0. EAX = number, EBX, ECX, EDX = arguments; result in EAX
system_call:
        cmp eax, 4
        jae .unknown
        push ds
        push es
        push ebp
        push edi
        push esi
        push edx
        push ecx
        push ebx
        mov edx, DATA32
        mov ds, edx
        mov es, edx
        mov edx, [esp + 8]
        call [system_calls + eax * 4]
        pop ebx
        pop ecx
        pop edx
        pop esi
        pop edi
        pop ebp
        pop es
        pop ds
        iret
.unknown:
        mov eax, -38
        iret

sys_exit:
        mov eax, ebx
        mov esp, [KERNEL_BUFFER + 64]
        ret                             ; from work

sys_getpid:
        mov eax, PID
        ret

; EBX + EDX
sys_add:
        lea eax, [ebx + edx]
        ret

; Copies EDX bytes from ECX, whole dwords; the result is the sum of the dwords
sys_write:
        mov esi, ecx
        mov edi, KERNEL_BUFFER
        xor eax, eax
.copy:
        mov ebx, [esi]
        mov [edi], ebx
        add eax, ebx
        add esi, 4
        add edi, 4
        sub edx, 4
        ja .copy
        ret

        align 4, db 0
system_calls:
        dd sys_exit, sys_getpid, sys_add, sys_write
idt_pointer:
        dw 256 * 8 - 1
        dd IDT

%include "common/end.inc"
