/** Programs for protectedGuest() that compute something with many kinds of instructions; data from 0x20000 on. */
import { EAX, EBX, ECX, EDI, EDX } from '../../../src/cpu/state.ts';

export interface Program {
  readonly name: string;
  readonly source: string;
  /** Register slots and what they hold in the end; a real processor says the same. */
  readonly registers: readonly (readonly [slot: number, value: number])[];
}

const SIEVE = `
        mov edi,0x20000
        mov ecx,1000
        mov al,1
        rep stosb
        mov ebx,2
.outer: cmp byte [0x20000+ebx],0
        je .next
        mov esi,ebx
        imul esi,esi
.mark:  cmp esi,1000
        jae .next
        mov byte [0x20000+esi],0
        add esi,ebx
        jmp .mark
.next:  inc ebx
        cmp ebx,32
        jb .outer
        xor eax,eax
        mov ecx,2
.count: movzx edx,byte [0x20000+ecx]
        add eax,edx
        inc ecx
        cmp ecx,1000
        jb .count
        hlt`;

/** Fibonacci, 94 numbers of 64 bits. */
const FIBONACCI = `
        xor eax,eax
        xor edx,edx
        mov ebx,1
        xor ecx,ecx
        mov esi,93
.l:     mov edi,eax
        mov ebp,edx
        add edi,ebx
        adc ebp,ecx
        mov eax,ebx
        mov edx,ecx
        mov ebx,edi
        mov ecx,ebp
        dec esi
        jnz .l
        hlt`;

/** The CRC-32 of the bytes 0-255, bit by bit. */
const CRC = `
        mov edi,0x20000
        xor eax,eax
.fill:  stosb
        inc al
        jnz .fill
        mov eax,-1
        mov esi,0x20000
.byte:  xor al,[esi]
        mov ecx,8
.bit:   shr eax,1
        jnc .zero
        xor eax,0xedb88320
.zero:  loop .bit
        inc esi
        cmp esi,0x20100
        jne .byte
        not eax
        hlt`;

/** Flags of many instructions, summed up through LAHF, SETcc, PUSHF and RCL. */
const FLAGS = `
        mov ebx,0x12345678
        mov ecx,200
        xor edx,edx
.l:     mov eax,ebx
        imul ebx,ebx,1103515245
        add ebx,12345
        cmp eax,ebx
        setl dl
        rcl edx,1
        sub ax,bx
        pushf
        pop esi
        and esi,0x8d5
        add edx,esi
        neg al
        adc dh,bl
        sbb dx,ax
        daa
        lahf
        xor dl,ah
        shld edx,eax,7
        bt ebx,ecx
        adc edx,0
        sar bx,cl
        setp al
        xadd dl,al
        bswap edx
        test ecx,ebx
        jle .n
        dec edx
.n:     inc dword [0x20000+ecx*4]
        loop .l
        hlt`;

/** Calls, stack frames, a recursive function: Ackermann (2, 9). */
const RECURSION = `
        push 9
        push 2
        call ackermann
        hlt
ackermann:
        enter 0,0
        mov eax,[ebp+8]
        mov edx,[ebp+12]
        test eax,eax
        jnz .m
        lea eax,[edx+1]
        leave
        ret 8
.m:     test edx,edx
        jnz .both
        dec eax
        push 1
        push eax
        call ackermann
        leave
        ret 8
.both:  dec edx
        push edx
        push eax
        call ackermann
        mov edx,[ebp+8]
        dec edx
        push eax
        push edx
        call ackermann
        leave
        ret 8`;

/** Multiplication, division, string instructions in both directions, XLAT. */
const MIXED = `
        mov edi,0x20000
        mov ecx,64
        mov eax,0x01020304
.fill:  stosd
        rol eax,5
        add eax,ecx
        loop .fill
        mov esi,0x200fc
        mov edi,0x202fc
        mov ecx,64
        std
        rep movsd
        cld
        mov esi,0x20000
        mov edi,0x20200
        mov ecx,64
        repe cmpsd
        jne .bad
        mov ebx,0x20000
        xor edx,edx
        mov ecx,100
.l:     mov al,cl
        xlatb
        movsx eax,al
        add edx,eax
        mov eax,ecx
        push edx
        mov edx,3
        mul edx
        mov esi,7
        div esi
        pop edi
        lea edx,[edi+edx*4]
        xchg al,ah
        cbw
        cwde
        add edx,eax
        loop .l
        mov eax,edx
        cdq
        mov ecx,1000
        idiv ecx
        hlt
.bad:   ud2`;

/** F(93) and F(94) modulo 2^64. */
const [F93, F94] = [12200160415121876738n, 19740274219868223167n & 0xffff_ffff_ffff_ffffn];

export const PROGRAMS: readonly Program[] = [
  { name: 'sieve', source: SIEVE, registers: [[EAX, 168]] },
  {
    name: 'fibonacci', source: FIBONACCI,
    registers: [[EAX, Number(F93 & 0xffff_ffffn)], [EDX, Number(F93 >> 32n)], [EBX, Number(F94 & 0xffff_ffffn)], [ECX, Number(F94 >> 32n)]],
  },
  { name: 'crc', source: CRC, registers: [[EAX, 0x29058c73]] },
  { name: 'flags', source: FLAGS, registers: [[EAX, 0x464f83a4], [EBX, 0xc7261409], [ECX, 0], [EDX, 0xa5495f89]] },
  { name: 'recursion', source: RECURSION, registers: [[EAX, 21]] },
  { name: 'mixed', source: MIXED, registers: [[EAX, 1], [EDX, 0x1c0], [EDI, 0x59c]] },
];
