; A boot sector that writes sectors of a known pattern to the first hard disk, flushes after each 16, and then says on COM1 how many it
; has written (32 bits, little endian). FFFFFFFFh: the disk reported an error. `seed` and `mask` (a number of sectors, a power of
; two, less one) are filled in by kill.ts, which knows the sequence too.
cpu 386
org 0x7c00

ATA equ 0x1f0
COM1 equ 0x3f8
FLUSH_EACH equ 15
buffer equ 0x8000

        jmp short start
        align 4
seed    dd 0
mask    dd 0
count   dd 0
random  dd 0

start:  cli
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x7c00
        cld
        mov dx, ATA + 0x206             ; no interrupts: everything is polled
        mov al, 2
        out dx, al
        mov eax, [seed]
        mov [random], eax

next:   inc dword [count]
        imul eax, [random], 1103515245
        add eax, 12345
        mov [random], eax
        shr eax, 8
        and eax, [mask]
        mov ebx, eax                    ; the sector
        mov di, buffer
        mov eax, [count]
        stosd
        mov eax, ebx
        stosd
        mov eax, [seed]
        stosd
        imul eax, [count], 0x9e3779b9
        mov cx, 125
fill:   stosd
        inc eax
        loop fill

        call idle
        mov dx, ATA + 2
        mov al, 1
        out dx, al
        inc dx
        mov eax, ebx
        out dx, al
        inc dx
        shr eax, 8
        out dx, al
        inc dx
        shr eax, 8
        out dx, al
        inc dx
        shr eax, 8
        or al, 0xe0
        out dx, al
        inc dx
        mov al, 0x30                    ; WRITE SECTORS
        out dx, al
        call idle
        test al, 8
        jz short failed
        mov si, buffer
        mov cx, 256
        mov dx, ATA
        rep outsw
        call idle
        test byte [count], FLUSH_EACH
        jnz next
        mov dx, ATA + 7
        mov al, 0xe7                    ; FLUSH CACHE
        out dx, al
        call idle
        mov eax, [count]
        call say
        jmp next

failed: or eax, byte -1
        call say
        hlt

; Waits until the drive is not busy; al: its status.
idle:   mov dx, ATA + 7
.wait:  in al, dx
        test al, 0x80
        jnz .wait
        test al, 1
        jnz failed
        ret

; Sends eax.
say:    mov cx, 4
.byte:  mov ebx, eax
        mov dx, COM1 + 5
.wait:  in al, dx
        test al, 0x20
        jz .wait
        mov eax, ebx
        mov dx, COM1
        out dx, al
        shr eax, 8
        loop .byte
        ret

        times 510 - ($ - $$) db 0
        dw 0xaa55
