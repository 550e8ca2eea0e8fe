; Mandelbrot set on a grid of 48 x 32 points, up to 100 steps a point, on the x87 stack at its full precision (64 bits), and a
; square root, a division and a rounding to integer for each point.
; Checksum: h = h * 31 + steps + round(sqrt(|z|^2) * 1000 / (steps + 1)) over all points.

%define NAME 'x87'
ITERATIONS      equ 60
EXPECTED        equ 0x6295B497

%include "common/start.inc"

COLUMNS         equ 48
ROWS            equ 32
STEPS           equ 100

; Variables
row             equ DATA
column          equ DATA + 4
divisor         equ DATA + 8
rounded         equ DATA + 12

prepare:
        ret

work:
        fninit                          ; round to nearest, 64 bits of precision, exceptions masked
        xor edi, edi                    ; checksum
        mov dword [row], 0
.row:
        mov dword [column], 0
.column:
        fild dword [row]
        fmul qword [dy]
        fadd qword [y0]                 ; cy
        fild dword [column]
        fmul qword [dx_]
        fadd qword [x0]                 ; cx cy
        fldz
        fldz                            ; x y cx cy
        xor ecx, ecx
.step:
        fld st0
        fmul st0, st0                   ; x2 x y cx cy
        fld st2
        fmul st0, st0                   ; y2 x2 x y cx cy
        fld st0
        fadd st0, st2                   ; x2+y2 y2 x2 x y cx cy
        fcomp qword [four]
        fnstsw ax
        sahf
        ja .out                         ; y2 x2 x y cx cy
        cmp ecx, STEPS
        jae .out
        fsubp st1, st0                  ; x2-y2 x y cx cy
        fadd st0, st3                   ; x' x y cx cy
        fxch st1                        ; x x' y cx cy
        fmulp st2, st0                  ; x' xy cx cy
        fxch st1                        ; xy x' cx cy
        fadd st0, st0
        fadd st0, st3                   ; y' x' cx cy
        fxch st1                        ; x' y' cx cy
        inc ecx
        jmp .step
.out:
        faddp st1, st0                  ; |z|^2 x y cx cy
        fsqrt
        fmul qword [thousand]
        mov [divisor], ecx
        inc dword [divisor]
        fidiv dword [divisor]
        fistp dword [rounded]
        fstp st0
        fstp st0
        fstp st0
        fstp st0
        imul edi, edi, 31
        add edi, ecx
        add edi, [rounded]
        inc dword [column]
        cmp dword [column], COLUMNS
        jb .column
        inc dword [row]
        cmp dword [row], ROWS
        jb .row
        mov eax, edi
        ret

        align 8, db 0
x0:     dq -2.1
dx_:    dq 0.0635
y0:     dq -1.15
dy:     dq 0.0711
four:   dq 4.0
thousand: dq 1000.0

%include "common/end.inc"
