; A boot floppy that draws a screen in one mode after the other, by INT 10h, and on the way asks INT 10h what it did. After each
; it says its name on COM1 and waits for a key. What goes wrong is said on COM1 too. Run by screens.test.ts, here and on QEMU.

        cpu 386
        bits 16
        org 0x7C00

LOAD            equ 0x7E00

boot:
        cli
        xor ax, ax
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov sp, 0x6000                  ; apart from code: writes beside it take long
        sti
        cld
        mov [drive], dl
        mov si, 1
        mov bx, LOAD
.sector:
        mov ax, si
        mov cl, 18
        div cl
        mov cl, ah
        inc cl
        mov dh, al
        and dh, 1
        mov ch, al
        shr ch, 1
        mov dl, [drive]
        mov ax, 0x0201
        int 0x13
        jc .sector
        add bx, 512
        inc si
        cmp si, (program_end - start + 511) / 512
        jbe .sector
        jmp start
drive:  db 0
        times 510 - ($ - $$) db 0
        dw 0xAA55

start:
        xor ax, ax
        mov es, ax
        in al, 0x92                     ; A20: the frame buffer lies high
        or al, 0x02
        and al, 0xFE
        out 0x92, al
        call flat
        mov si, screens
.next:
        mov ax, [si + S_DRAW]
        or ax, ax
        jz .done
        mov [screen], si
        mov dword [lfb], 0
        push si
        call ax
        pop si
        add si, S_NAME
        push si
        call say
        mov si, newline
        call say
        mov ah, 0
        int 0x16
        pop si
.name:
        lodsb
        or al, al
        jnz .name
        jmp .next
.done:
        mov si, .end
        call say
.halt:
        hlt
        jmp .halt
.end:   db 'screens: all', 13, 10, 0

newline: db 13, 10, 0
screen: dw 0

; Zero-terminated DS:SI to COM1.
say:
        mov dx, 0x3FD
.wait:
        in al, dx
        test al, 0x20
        jz .wait
        cs lodsb
        or al, al
        jz .done
        mov dx, 0x3F8
        out dx, al
        jmp say
.done:
        ret

; Says DS:SI and ": wrong".
wrong:
        pusha
        mov si, [screen]
        add si, S_NAME
        call say
        mov si, .text
        call say
        popa
        pusha
        call say
        mov si, newline
        call say
        popa
        ret
.text:  db ': wrong: ', 0

; %1 %2 %3 as a comparison and the condition that must hold, %4 says what it is
%macro CHECK 4
        cmp %1, %2
        %3 %%right
        push si
        mov si, %%text
        call wrong
        pop si
        jmp %%right
%%text: db %4, 0
%%right:
%endmacro

%include "text.inc"
%include "graphics.inc"
%include "vbe.inc"
%include "list.inc"
program_end:
