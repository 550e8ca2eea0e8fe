; tcg86 kernel boot ROM: starts the kernel that the board's firmware configuration device holds (-kernel, -initrd, -append).
; An option ROM that takes INT 19h over. The board has decided what goes where (src/machine/boot); this loads it and enters the kernel.
; Linux: the setup code, at its segment + 20h:0 in real mode. Multiboot: 32-bit protected mode with EAX = magic, EBX = information.
;
;   nasm -f bin -I bios/ -o kernelboot.bin bios/kernelboot.asm
;
; The last byte is left for the checksum. Sources: QEMU, docs/specs/fw_cfg.rst; Multiboot Specification 0.6.96, 3.2; Linux boot protocol.

        cpu 386
        bits 16
        org 0

%include "version.inc"
%include "fwcfg-ports.inc"

ROM_BLOCKS      equ 2                   ; of 512 bytes
STACK_SEG       equ 0x9000              ; above what a kernel's setup code uses, below the extended BIOS data area
STACK_TOP       equ 0xE000
REQUEST         equ STACK_TOP           ; the DMA request lies above the stack
GDT_COPY        equ STACK_TOP + 16
SMAP            equ 0x534D4150
MB_MAGIC        equ 0x2BADB002
MB_MEM_LOWER    equ 4
MB_MMAP_LENGTH  equ 44
MB_MMAP_ADDR    equ 48

rom_start:
        db 0x55, 0xAA, ROM_BLOCKS
        jmp near init
        times 0x20 - ($ - $$) db 0
        db 'tcg86 kernel boot ROM ', VERSION, 0

init:
        push ds
        push ax
        xor ax, ax
        mov ds, ax
        mov word [0x19 * 4], boot
        mov [0x19 * 4 + 2], cs
        pop ax
        pop ds
        retf

boot:
        cli
        mov ax, STACK_SEG
        mov ss, ax
        mov sp, STACK_TOP
        sti
        cld
        push cs
        pop ds
        mov si, text_booting
        call print
        mov ax, FW_SETUP_SIZE
        call fw_read32
        or eax, eax
        jz multiboot

; --- Linux
        mov si, linux_parts
        mov cx, 4
.part:
        call load
        add si, 6
        loop .part
        mov ax, FW_SETUP_ADDR
        call fw_read32
        mov ebx, eax
        mov ax, FW_CMDLINE_ADDR
        call fw_read32
        sub eax, ebx
        sub ax, 16
        shr ebx, 4
        cli
        mov ds, bx
        mov es, bx
        mov fs, bx
        mov gs, bx
        mov ss, bx
        movzx esp, ax
        add bx, 0x20
        push bx
        push 0
        xor eax, eax
        xor ebx, ebx
        xor ecx, ecx
        xor edx, edx
        xor esi, esi
        xor edi, edi
        xor ebp, ebp
        retf

; --- Multiboot
multiboot:
        mov si, multiboot_parts
        call load
        add si, 6
        call load
        mov ax, FW_INITRD_ADDR
        call fw_read32
        mov ebp, eax                    ; the information, below 1 MB
        mov ax, FW_INITRD_SIZE
        call fw_read32
        mov ecx, eax
        mov eax, ebp
        shr eax, 4
        mov es, ax
        mov di, cx
        int 0x12
        movzx eax, ax
        mov [es:MB_MEM_LOWER], eax
        push di
        xor ebx, ebx
.map:
        mov dword [es:di], 20           ; size of the rest of an entry
        add di, 4
        mov eax, 0xE820
        mov edx, SMAP
        mov ecx, 20
        int 0x15
        jc .mapped
        cmp eax, SMAP
        jne .mapped
        add di, 20
        or ebx, ebx
        jnz .map
        add di, 4
.mapped:
        sub di, 4
        pop ax
        sub di, ax
        movzx eax, ax
        add eax, ebp
        movzx edi, di
        mov [es:MB_MMAP_ADDR], eax
        mov [es:MB_MMAP_LENGTH], edi

        mov ax, FW_KERNEL_ENTRY
        call fw_read32
        mov edi, eax
        mov ax, 0x2401                  ; address line 20 on
        int 0x15
        in al, 0x92
        or al, 2
        and al, 0xFE
        out 0x92, al
        cli
        push ss
        pop es
        push di
        mov si, gdt
        mov di, GDT_COPY
        mov cx, (gdt_end - gdt) / 2
        rep movsw
        pop di
        o32 lgdt [gdt_pointer]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        xor eax, eax
        mov ax, cs
        shl eax, 4
        add eax, .protected
        push dword 0x08
        push eax
        o32 retf

        bits 32
.protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov esp, STACK_SEG * 16 + STACK_TOP
        mov eax, MB_MAGIC
        mov ebx, ebp
        jmp edi
        bits 16

; Loads a part: SI = the numbers of its address, size and data.
load:
        push cx
        mov ax, [si]
        call fw_read32
        mov edi, eax
        mov ax, [si + 2]
        call fw_read32
        or eax, eax
        jz .done
        call swap
        mov [ss:REQUEST + 4], eax       ; length
        mov dword [ss:REQUEST + 8], 0   ; address
        mov eax, edi
        call swap
        mov [ss:REQUEST + 12], eax
        movzx eax, word [si + 4]
        shl eax, 16
        mov al, FW_DMA_READ | FW_DMA_SELECT
        call swap
        mov [ss:REQUEST], eax
        xor eax, eax
        mov dx, FW_DMA
        out dx, eax
        mov eax, STACK_SEG * 16 + REQUEST
        call swap
        mov dx, FW_DMA + 4
        out dx, eax
.wait:
        mov eax, [ss:REQUEST]
        or eax, eax
        jz .done
        test eax, FW_DMA_ERROR << 24    ; big-endian
        jz .wait
        mov si, text_failed
        call print
.forever:
        hlt
        jmp .forever
.done:
        pop cx
        ret

; EAX = the 32-bit item AX
fw_read32:
        push cx
        push dx
        mov dx, FW_SELECTOR
        out dx, ax
        mov dx, FW_DATA
        mov cx, 4
.next:
        in al, dx
        ror eax, 8
        loop .next
        pop dx
        pop cx
        ret

; EAX with its bytes in reverse
swap:
        xchg al, ah
        ror eax, 16
        xchg al, ah
        ret

; The text at DS:SI
print:
        lodsb
        or al, al
        jz .done
        mov ah, 0x0E
        mov bx, 0x0007
        int 0x10
        jmp print
.done:
        ret

linux_parts:
        dw FW_SETUP_ADDR, FW_SETUP_SIZE, FW_SETUP_DATA
multiboot_parts:
        dw FW_KERNEL_ADDR, FW_KERNEL_SIZE, FW_KERNEL_DATA
        dw FW_INITRD_ADDR, FW_INITRD_SIZE, FW_INITRD_DATA
        dw FW_CMDLINE_ADDR, FW_CMDLINE_SIZE, FW_CMDLINE_DATA

gdt:
        dq 0
        dq 0x00CF9A000000FFFF           ; 08h: code, all of memory
        dq 0x00CF92000000FFFF           ; 10h: data
gdt_end:
gdt_pointer:
        dw gdt_end - gdt - 1
        dd STACK_SEG * 16 + GDT_COPY

text_booting:   db 'Booting from ROM...', 13, 10, 0
text_failed:    db 'The kernel cannot be loaded.', 13, 10, 0

        times ROM_BLOCKS * 512 - ($ - $$) db 0
