; The Mandelbrot set of x87.asm in doubles: scalar SSE2, its constants in memory, and a square root, a division and a rounding to integer for
; each point. The steps, and so the checksum, are those of 64-bit precision here.
; Checksum: h = h * 31 + steps + round(sqrt(|z|^2) * 1000 / (steps + 1)) over all points.

%define NAME 'sse2'
ITERATIONS      equ 300
EXPECTED        equ 0x6295B497

%include "common/start.inc"

        cpu willamette

COLUMNS         equ 48
ROWS            equ 32
STEPS           equ 100
CR4_OSFXSR      equ 1 << 9

prepare:
        mov eax, cr4
        or eax, CR4_OSFXSR
        mov cr4, eax
        ret

work:
        xor edi, edi                    ; checksum
        xor ebx, ebx                    ; row
.row:
        xor esi, esi                    ; column
.column:
        cvtsi2sd xmm5, ebx
        mulsd xmm5, [dy]
        addsd xmm5, [y0]                ; cy
        cvtsi2sd xmm4, esi
        mulsd xmm4, [dx_]
        addsd xmm4, [x0]                ; cx
        xorpd xmm0, xmm0                ; x
        xorpd xmm1, xmm1                ; y
        movsd xmm7, [four]
        xor ecx, ecx
.step:
        movapd xmm2, xmm0
        mulsd xmm2, xmm2                ; x2
        movapd xmm3, xmm1
        mulsd xmm3, xmm3                ; y2
        movapd xmm6, xmm3
        addsd xmm6, xmm2
        comisd xmm6, xmm7
        ja .out
        cmp ecx, STEPS
        jae .out
        mulsd xmm1, xmm0                ; xy
        subsd xmm2, xmm3
        addsd xmm2, xmm4
        movapd xmm0, xmm2
        addsd xmm1, xmm1
        addsd xmm1, xmm5
        inc ecx
        jmp .step
.out:
        sqrtsd xmm6, xmm6
        mulsd xmm6, [thousand]
        lea eax, [ecx + 1]
        cvtsi2sd xmm2, eax
        divsd xmm6, xmm2
        cvtsd2si eax, xmm6
        imul edi, edi, 31
        add edi, ecx
        add edi, eax
        inc esi
        cmp esi, COLUMNS
        jb .column
        inc ebx
        cmp ebx, ROWS
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
