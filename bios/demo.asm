; The demo disk of tcg86: a boot sector and a 32-bit protected-mode program that shows the machine and computes a little.
; Output goes to the text screen and to COM1.
;
;   nasm -f bin -I bios/ -o demo.img bios/demo.asm
;
; The result is a few sectors; the build pads it with zeros to the 1,474,560 bytes of a 1.44 MB floppy.
; Memory: 7C00h boot sector and stack below it, 7E00h this program, 5000h what the BIOS said (demo/real.inc),
; 20000h-3FFFFh tables of the computations.
;
; At its end the program writes 0 to port 501h, which ends an emulator that has isa-debug-exit there; elsewhere nothing
; happens, and it waits for a key and restarts the machine.

        cpu pentium                     ; CPUID, where there is one; else 386 instructions
        bits 16
        org 0x7C00

%include "version.inc"

PROGRAM         equ 0x7E00
DEBUG_EXIT      equ 0x501

%include "demo/boot.inc"
%include "demo/real.inc"

        bits 32
%include "demo/main.inc"
%include "demo/console.inc"
%include "demo/cpu.inc"
%include "demo/machine.inc"
%include "demo/compute.inc"

        align 512, db 0
program_end:
