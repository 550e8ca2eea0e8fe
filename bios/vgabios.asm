; tcg86 VGA BIOS: a 32 KB option ROM for C0000h. Text modes, CGA, EGA and VGA graphics modes by standard VGA registers; VBE 3.0 on
; adapters with the Bochs VBE extensions.
;
;   nasm -f bin -I bios/ -o vgabios.bin bios/vgabios.asm
;
; The last byte of the image is left 0: the build sets it so that all bytes add up to 0 (mod 256), or no BIOS accepts the
; ROM. Sources: IBM VGA (PS/2 Video Subsystem) Technical Reference; Ralf Brown's Interrupt List; FreeVGA (registers).

        cpu 386
        bits 16
        org 0

%include "version.inc"
%include "defs.inc"
%include "vga/defs.inc"

ROM_BLOCKS      equ 64                  ; of 512 bytes

rom_start:
        db 0x55, 0xAA, ROM_BLOCKS
        jmp near vga_init
        times 0x18 - ($ - $$) db 0
        dw pci_data
        times 0x1E - ($ - $$) db 0
        db 'IBM', 0                     ; some programs take this for "EGA or better"
        db 'tcg86 VGA BIOS ', VERSION, 0

; PCI data structure (PCI Firmware Specification 3.0, 5.1.2): firmware that loads ROMs from PCI adapters takes none without
; it. The identity is that of the board's VGA, which QEMU's standard VGA has too.
        align 4, db 0
pci_data:
        db 'PCIR'
        dw 0x1234, 0x1111               ; vendor, device
        dw 0                            ; no vital product data
        dw pci_data_end - pci_data
        db 0                            ; revision of the structure
        db 0x00, 0x00, 0x03             ; class: VGA
        dw ROM_BLOCKS
        dw 1                            ; revision of the code
        db 0, 0x80                      ; for PC-AT, and the last image
        dw 0
pci_data_end:

%include "vga/init.inc"
%include "vga/dispatch.inc"
%include "vga/modes.inc"
%include "vga/params.inc"
%include "vga/setmode.inc"
%include "vga/cursor.inc"
%include "vga/text.inc"
%include "vga/scroll.inc"
%include "vga/pixel.inc"
%include "vga/graphics.inc"
%include "vga/palette.inc"
%include "vga/dac.inc"
%include "vga/charset.inc"
%include "vga/info.inc"
%include "vga/state.inc"
%include "vga/vbe.inc"
%include "vga/vbemode.inc"
%include "vga/vbepixel.inc"
%include "vga/vbepm.inc"
%include "delay.inc"

font_8x16:
%include "fonts/font8x16.inc"
font_8x14:
%include "fonts/font8x14.inc"
font_8x8:
%include "fonts/font8x8-low.inc"
font_8x8_high:
%include "fonts/font8x8-high.inc"
font_alternates:
        db 0                            ; no characters of special 9-dot shape

        times ROM_BLOCKS * 512 - ($ - $$) db 0
