; The demo disk of tcg86: a boot sector and a small 32-bit kernel with paging, a timer, a keyboard and programs in ring 3.
; It shows the machine and answers commands. Output goes to the text screen and to COM1, input comes from both.
;
;   nasm -f bin -I bios/ -o demo.img bios/demo.asm
;
; The result is some sectors; the build pads it with zeros to the 1,474,560 bytes of a 1.44 MB floppy.
;
; Memory, below 640 KB only:
;    1000 page directory          5000 what the BIOS said (demo/real.inc)      10000-1FFFF not used if the program is short
;    2000 page table, 0-4 MB      6000 kernel stack, downwards from 7C00       1F000 the text screen while graphics are shown
;    3000 page table, 4-8 MB      7C00 boot sector                             20000 frames for pages of programs, to the end
;    4000 IDT, 4800 TSS           7E00 kernel, then the programs' image
;
; Ring 3 sees 4-8 MB (demo/process.inc). Whoever starts the disk says by what answers at two ports how it should end:
;    port 501h reads 0 (isa-debug-exit, there by QEMU's default): nobody can type. The demo runs its tour and writes 0 there.
;    port 502h alone reads 0: the command `halt` writes 0 there.
; Elsewhere `halt` uses the chipset's power management, where it is known.

        cpu pentium                     ; CPUID, where there is one; else 386 instructions
        bits 16
        org 0x7C00

%include "version.inc"

PAGE_DIRECTORY  equ 0x1000
PAGE_TABLE      equ 0x2000
USER_TABLE      equ 0x3000
IDT             equ 0x4000
TSS             equ 0x4800
STACK_TOP       equ 0x7C00
PROGRAM         equ 0x7E00
SAVED_SCREEN    equ 0x1F000
FRAMES          equ 0x20000
TOUR_EXIT       equ 0x501
HALT_EXIT       equ 0x502

; What ring 3 sees
USER_START      equ 0x400000            ; the programs' image; behind it memory that is there when it is touched
USER_HEAP       equ 0x500000
USER_SCREEN     equ 0x700000            ; 64 KB of video memory, in graphics modes
USER_STACK      equ 0x7FFFF0
USER_END        equ 0x800000

%include "demo/boot.inc"
%include "demo/real.inc"

        bits 32
%include "demo/main.inc"
%include "demo/console.inc"
%include "demo/serial.inc"
%include "demo/paging.inc"
%include "demo/interrupts.inc"
%include "demo/timer.inc"
%include "demo/keyboard.inc"
%include "demo/process.inc"
%include "demo/syscalls.inc"
%include "demo/line.inc"
%include "demo/shell.inc"
%include "demo/cpu.inc"
%include "demo/machine.inc"
%include "demo/clock.inc"
%include "demo/power.inc"

        align 16, db 0
user_image:                             ; the programs as loaded: pages are copied from here when they are touched

        section .user follows=.text vstart=USER_START align=16
user_first:
%include "demo/user/library.inc"
%include "demo/user/compute.inc"
%include "demo/user/bench.inc"
%include "demo/user/mandel.inc"
%include "demo/user/picture.inc"
%include "demo/user/fire.inc"
%include "demo/user/crash.inc"

user_image_end:
USER_SIZE       equ user_image_end - user_first
