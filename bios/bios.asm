; tcg86 system BIOS: a 64 KB image for F0000h-FFFFFh (and the top of the 4 GB address space).
;
;   nasm -f bin -I bios/ -o bios.bin bios/bios.asm
;
; The full firmware image has 128 KB: the VGA BIOS (bios/vgabios.asm), padded to 64 KB, then this one. POST copies the
; VGA BIOS from E0000h to C0000h when it finds no ROM there, so that the image is all that a machine needs.
; Everything here is 386 real-mode code (CPUID apart, which is only tried where it exists); segment F000h, offset 0 upward; the entry points of the IBM PC that
; programs may jump to (compat.inc) end the segment.

        cpu pentium
        bits 16
        org 0

%include "version.inc"
%include "defs.inc"

bios_start:
        db 'tcg86 BIOS ', VERSION, 0

%include "post.inc"
%include "interrupts.inc"
%include "console.inc"
%include "cmos.inc"
%include "memory.inc"
%include "shadow.inc"
%include "optionrom.inc"
%include "fwcfg.inc"
%include "apic.inc"
%include "mptable.inc"
%include "pci.inc"
%include "acpi.inc"
%include "smbios.inc"
%include "pcibios.inc"
%include "kbc.inc"
%include "mouse.inc"
%include "keyboard.inc"
%include "keycodes.inc"
%include "keytables.inc"
%include "int16.inc"
%include "delay.inc"
%include "fdc.inc"
%include "floppy.inc"
%include "media.inc"
%include "ata.inc"
%include "detect.inc"
%include "disk.inc"
%include "edd.inc"
%include "atapi.inc"
%include "cdrom.inc"
%include "emulation.inc"
%include "serial.inc"
%include "printer.inc"
%include "time.inc"
%include "rtc.inc"
%include "system.inc"
%include "apm.inc"
%include "blockmove.inc"
%include "boot.inc"
%include "eltorito.inc"
%include "bootorder.inc"
%include "bootmenu.inc"
%include "compat.inc"
