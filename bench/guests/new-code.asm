; Makes new code pages for ever: a routine is written to a new page each time, at the next linear and the next physical address, and called;
; at every 8th time it is hot enough to be compiled. 4 MB of memory are written round and round, 256 MB of addresses too, with page
; table entries that change. Checksum: of 256 such pages (test/bench/reference.ts).

%define NAME 'new-code'
ITERATIONS      equ 1000000
EXPECTED        equ 0x90643C00

%include "common/start.inc"

PAGES           equ 256
COLD            equ 10
HOT             equ 100000
PAGE_DIRECTORY  equ DATA
PAGE_TABLE      equ DATA + 0x1000
next_linear     equ DATA + 0x2000
next_physical   equ DATA + 0x2004
LINEAR_TABLES   equ DATA + 0x100000     ; 64 page tables
LINEAR          equ 0x40000000
LINEAR_SIZE     equ 256 << 20
PHYSICAL        equ 0x300000
PHYSICAL_END    equ 0x700000

prepare:
        ; The first 3 MB at their own addresses; the page tables of the linear window, empty
        mov edi, PAGE_DIRECTORY
        xor eax, eax
        mov ecx, 1024
        rep stosd
        mov edi, LINEAR_TABLES
        mov ecx, LINEAR_SIZE >> 12
        rep stosd
        mov edi, PAGE_TABLE
        mov eax, 3
.page:
        stosd
        add eax, 4096
        cmp eax, 0x300000
        jb .page
        mov dword [PAGE_DIRECTORY], PAGE_TABLE + 3
        mov edi, PAGE_DIRECTORY + (LINEAR >> 20)
        mov eax, LINEAR_TABLES + 3
.table:
        stosd
        add eax, 4096
        cmp eax, LINEAR_TABLES + (LINEAR_SIZE >> 10)
        jb .table
        mov dword [next_linear], LINEAR
        mov dword [next_physical], PHYSICAL
        mov eax, PAGE_DIRECTORY
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        jmp .on
.on:
        ret

work:
        xor eax, eax
        mov ebp, PAGES
.next:
        ; Map the page
        mov ebx, [next_linear]
        mov edx, [next_physical]
        lea esi, [edx + 3]
        mov edi, ebx
        sub edi, LINEAR
        shr edi, 10
        mov [LINEAR_TABLES + edi], esi
        invlpg [ebx]
        ; Write the routine
        mov esi, routine
        mov edi, ebx
        mov ecx, routine_end - routine
        rep movsb
        mov [ebx + constant - routine + 1], ebp
        mov ecx, COLD
        test ebp, 7
        jnz .call
        mov ecx, HOT
.call:
        call ebx
        ; Go on to the next addresses
        add dword [next_linear], 4096
        cmp dword [next_linear], LINEAR + LINEAR_SIZE
        jb .linear
        mov dword [next_linear], LINEAR
.linear:
        add dword [next_physical], 4096
        cmp dword [next_physical], PHYSICAL_END
        jb .physical
        mov dword [next_physical], PHYSICAL
.physical:
        dec ebp
        jnz .next
        ret

; ECX times; keeps EBP
routine:
        lea eax, [eax + eax * 4]
constant:
        mov edx, 0
        add eax, edx
        dec ecx
        jnz routine
        ret
routine_end:

%include "common/end.inc"
