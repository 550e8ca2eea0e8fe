/** The memory image of layout.ts: tables, tasks, page tables, handlers, and data made from a seed. */
import { assemble } from '../../bios/assembler/assemble.ts';
import { Random } from '../vectors/random.ts';
import * as L from './layout.ts';
import { SEL } from './layout.ts';

/** What differs from case to case. */
export interface ImageOptions {
  readonly memorySeed: number;
  /** Vector 8 switches to a task. */
  readonly doubleFaultTask: boolean;
}

const HANDLERS_SOURCE = `
bits 32
org ${L.HANDLERS}
; [esp]: 32 bytes of registers; then vector, error code, EIP, CS, EFLAGS. The stack may have 16 bits, and any base.
common:
  pushad
  mov ebp,esp
  mov eax,ss
  lar ebx,eax
  bt ebx,22
  jc .stack32
  movzx ebp,bp
.stack32:
  push ds
  mov eax,${SEL.data}
  mov ds,eax
  mov eax,[ss:ebp+32]
  mov ecx,[ss:ebp+40]
  mov ebx,[${L.COUNT}]
  inc dword [${L.COUNT}]
  and ebx,255
  mov [${L.LOG}+ebx*8],ecx
  mov [${L.LOG}+ebx*8+4],eax
  cmp eax,0x20
  jae .done
  cmp eax,1
  jne .not_db
  test bl,3
  jnz .done
  and dword [ss:ebp+48],~0x100
  jmp .done
.not_db:
  cmp eax,4
  jbe .maybe_trap
.skip:
  mov edx,[ss:ebp+44]
  cmp dx,[${L.KNOWN_CS}]
  je .known
  cmp dx,[${L.OTHER_CS}]
  jne lost
.known:
  sub ecx,[${L.CODE_EIP}]
  cmp ecx,${L.CODE_SIZE}
  jae lost
  movzx ecx,word [${L.NEXT}+ecx*2]
  jecxz lost
  add ecx,[${L.CODE_EIP}]
  mov [ss:ebp+40],ecx
  cmp eax,7
  jne .not_nm
  clts
.not_nm:
  cmp eax,16
  jne .done
  fnclex
.done:
  pop ds
  popad
  add esp,8
  iretd
.maybe_trap:
  test eax,eax
  jz .skip
  jmp .done
lost:
  hlt
  jmp lost
return16:
  o16 iret
gate_target:
  retf
gate_target16:
  o16 retf
gate_target_args:
  retf 12
task:
  iretd
  jmp task

align 512
bits 16
fault16:
  push bp
  mov bp,sp
  push eax
  push ebx
  push ds
  xor ax,ax
  mov ds,ax
  inc word [${L.COUNT}]
  mov ax,[bp+4]
  cmp ax,[${L.KNOWN_CS}]
  jne lost16
  mov bx,[bp+2]
  sub bx,[${L.CODE_EIP}]
  cmp bx,${L.CODE_SIZE}
  jae lost16
  add bx,bx
  mov ax,[${L.NEXT}+bx]
  test ax,ax
  jz lost16
  add ax,[${L.CODE_EIP}]
  mov [bp+2],ax
  pop ds
  pop ebx
  pop eax
  pop bp
  iret
db16:
  push bp
  mov bp,sp
  push ds
  push ax
  xor ax,ax
  mov ds,ax
  inc word [${L.COUNT}]
  test byte [${L.COUNT}],3
  jnz .done
  and word [bp+6],~0x100
.done:
  pop ax
  pop ds
  pop bp
trap16:
  iret
lost16:
  hlt
  jmp lost16
`;

/** Vectors that push an error code (SDM vol. 3, 6.13), and those whose handler does not skip. */
const WITH_ERROR_CODE: readonly number[] = [8, 10, 11, 12, 13, 14, 17];
const stubsSource = (common: number): string => `bits 32\norg ${L.STUBS}\n${Array.from({ length: 256 }, (_, vector) =>
  `times ${vector * 16}-($-$$) nop\n${WITH_ERROR_CODE.includes(vector) ? '' : 'push byte 0\n'}push dword ${vector}\njmp ${common}\n`).join('')}`;

const HANDLERS = assemble(HANDLERS_SOURCE, { file: 'handlers' });
const label = (name: string): number => HANDLERS.symbols.get(name)!;
const STUBS = assemble(stubsSource(label('common')), { file: 'stubs' });

/** EIP of the HLTs at which the handlers give up. */
export const LOST: readonly number[] = [label('lost'), label('lost16')];

const PRESENT = 1, WRITABLE = 2, USER = 4, ACCESSED = 0x20, LARGE = 0x80;
const USER_PAGE = PRESENT | WRITABLE | USER | ACCESSED;

/** Access byte (P, DPL, S, type), and flags (G, D/B). */
function descriptor(base: number, limit: number, access: number, flags: number): readonly [number, number] {
  return [base << 16 | limit & 0xffff, base & 0xff000000 | flags << 20 | limit & 0xf0000 | access << 8 | base >>> 16 & 0xff];
}
const gate = (selector: number, offset: number, access: number, count = 0): readonly [number, number] => [selector << 16 | offset & 0xffff, offset & 0xffff0000 | access << 8 | count];

const BIG = 0xc, WORD = 0, D = 4;
const DESCRIPTORS: readonly (readonly [selector: number, words: readonly [number, number]])[] = [
  [SEL.code32, descriptor(0, 0xfffff, 0x9b, BIG)], [SEL.data, descriptor(0, 0xfffff, 0x93, BIG)],
  [SEL.code32User, descriptor(0, 0xfffff, 0xfb, BIG)], [SEL.dataUser, descriptor(0, 0xfffff, 0xf3, BIG)],
  [SEL.tss, descriptor(L.TSS, 0xe8, 0x8b, 0)], [SEL.ldt, descriptor(L.LDT, L.LDT_LIMIT_BYTES, 0x82, 0)],
  [SEL.code16, descriptor(L.CODE, 0x1fff, 0x9b, WORD)], [SEL.code16User, descriptor(L.CODE, 0x1fff, 0xfb, WORD)],
  [SEL.data16, descriptor(L.DATA, 0xbfff, 0x93, WORD)], [SEL.data16User, descriptor(L.DATA, 0xbfff, 0xf3, WORD)],
  [SEL.smallUser, descriptor(L.DATA, 0x2ffe, 0xf3, D)], [SEL.downUser, descriptor(L.DATA, 0xfff, 0xf7, D)], [SEL.down16User, descriptor(L.DATA, 0xfff, 0xf7, WORD)],
  [SEL.readOnlyUser, descriptor(0, 0xfffff, 0xf1, BIG)], [SEL.stack32, descriptor(L.DATA, 0x9fff, 0x93, D)], [SEL.conforming, descriptor(0, 0xfffff, 0x9f, BIG)],
  [SEL.executeOnlyUser, descriptor(0, 0xfffff, 0xf9, BIG)], [SEL.notPresent, descriptor(0, 0xfffff, 0x73, BIG)],
  [SEL.tssTask, descriptor(L.TSS_TASK, 0x67, 0x89, 0)], [SEL.tss16, descriptor(L.TSS_16, 0x2b, 0x81, 0)],
  [SEL.callGate, gate(SEL.code32, label('gate_target'), 0xec)], [SEL.callGate16, gate(SEL.code32, label('gate_target16'), 0xe4)],
  [SEL.taskGate, gate(SEL.tssTask, 0, 0xe5)], [SEL.callGateArgs, gate(SEL.code32, label('gate_target_args'), 0xec, 3)],
  [SEL.codeNotPresent, descriptor(0, 0xfffff, 0x7b, BIG)], [SEL.smallCodeUser, descriptor(L.CODE, 0x1fff, 0xfb, D)], [SEL.smallCode, descriptor(L.CODE, 0x1fff, 0x9b, D)],
  [SEL.notAccessedUser, descriptor(0, 0xfffff, 0xf2, BIG)], [SEL.interruptGate, gate(SEL.code32, label('lost'), 0xee)],
  [SEL.tssDoubleFault, descriptor(L.TSS_DOUBLE_FAULT, 0x67, 0x89, 0)],
  [SEL.stack32User, descriptor(L.DATA, 0x9fff, 0xf3, D)], [SEL.codeAliasUser, descriptor(L.CODE, 0xfffe, 0xf3, D)],
];
const LDT_DESCRIPTORS: readonly (readonly [number, number])[] = [
  [0, 0], descriptor(0, 0xfffff, 0x93, BIG), descriptor(0, 0xfffff, 0xfb, BIG), descriptor(L.DATA, 0x7fff, 0xf3, D), gate(SEL.code32, label('gate_target'), 0xec),
  descriptor(0, 0xfffff, 0x9b, BIG), descriptor(L.LOW_DATA, 0xfff, 0xf1, D), descriptor(0, 0, 0x00, 0),
];

/** For LES, VERR, LTR, ...: what the memory lists hold. */
export const SELECTORS: readonly number[] = [
  SEL.dataUser, SEL.dataUser, SEL.dataUser, SEL.data16User, SEL.smallUser, SEL.downUser, SEL.down16User, SEL.readOnlyUser, SEL.notAccessedUser, SEL.codeAliasUser, SEL.ldtDataUser,
  0, 3, SEL.data, SEL.code32, SEL.code32User, SEL.code16User, SEL.conforming, SEL.executeOnlyUser, SEL.notPresent, SEL.codeNotPresent, SEL.tss, SEL.tssTask, SEL.tss16, SEL.ldt,
  SEL.callGate, SEL.taskGate, SEL.interruptGate, SEL.ldtCodeUser, 0x108, 0x47, 0xfff8,
];
/** Vectors with gates of their own: 286 gates, a task gate, bad ones. */
export const GATE_286 = 0x30, GATE_TASK = 0x31, GATE_NOT_PRESENT = 0x32, GATE_BAD_TYPE = 0x33, GATE_BAD_SELECTOR = 0x34, GATE_NULL = 0x35, GATE_286_TRAP = 0x36, GATE_CONFORMING = 0x37;
const USER_VECTORS: readonly number[] = [3, 4, 5];

class Image {
  readonly bytes = new Uint8Array(L.RAM_SIZE);
  private readonly view = new DataView(this.bytes.buffer);

  dword(address: number, value: number): void {
    this.view.setInt32(address, value, true);
  }
  word(address: number, value: number): void {
    this.view.setUint16(address, value, true);
  }
  pair(address: number, [low, high]: readonly [number, number]): void {
    this.dword(address, low);
    this.dword(address + 4, high);
  }
  /** Limit and base, for LGDT. */
  pointer(address: number, limit: number, base: number): void {
    this.word(address, limit);
    this.dword(address + 2, base);
  }
}

function putTables(image: Image): void {
  for (const [selector, words] of DESCRIPTORS) image.pair(L.GDT + (selector & ~7), words);
  LDT_DESCRIPTORS.forEach((words, i) => image.pair(L.LDT + 8 * i, words));
  for (let vector = 0; vector < 256; vector++) {
    const user = USER_VECTORS.includes(vector) || (vector >= 0x20 && vector < 0x30);
    image.pair(L.IDT + 8 * vector, gate(SEL.code32, L.STUBS + 16 * vector, vector === 3 || vector === 4 ? 0xef : user ? 0xee : 0x8e));
    const trap = vector === 2 || vector === 3 || vector === 4 || vector >= 0x11;
    image.word(4 * vector, label(vector === 1 ? 'db16' : trap ? 'trap16' : 'fault16'));
  }
  const put = (vector: number, selector: number, name: string, access: number): void => image.pair(L.IDT + 8 * vector, gate(selector, label(name), access));
  put(GATE_286, SEL.code32, 'return16', 0xe6);
  put(GATE_TASK, SEL.tssTask, 'lost', 0xe5);
  put(GATE_NOT_PRESENT, SEL.code32, 'lost', 0x6e);
  put(GATE_BAD_TYPE, SEL.code32, 'lost', 0xe9);
  put(GATE_BAD_SELECTOR, SEL.data, 'lost', 0xee);
  put(GATE_NULL, 0, 'lost', 0xef);
  put(GATE_286_TRAP, SEL.code32, 'return16', 0xe7);
  image.pair(L.IDT + 8 * GATE_CONFORMING, gate(SEL.conforming, L.STUBS + 16 * GATE_CONFORMING, 0xee));
}

function putTask(image: Image, at: number, name: string, stack: number): void {
  image.dword(at + 0x1c, L.PAGE_DIRECTORY);
  image.dword(at + 0x20, label(name));
  image.dword(at + 0x24, 2);
  image.dword(at + 0x38, stack);
  image.dword(at + 0x4c, SEL.code32);
  for (const offset of [0x48, 0x50, 0x54, 0x58, 0x5c]) image.dword(at + offset, SEL.data);
  image.dword(at + 0x64, 0x68 << 16);
  // For an IRET that is not nested.
  [label('lost'), SEL.code32, 2].forEach((value, i) => image.dword(stack + 4 * i, value));
}

function putTasks(image: Image): void {
  image.dword(L.TSS + 4, L.KERNEL_STACK);
  image.dword(L.TSS + 8, SEL.data);
  image.dword(L.TSS + 0x1c, L.PAGE_DIRECTORY);
  image.word(L.TSS + 0x66, 0x68);
  image.word(L.TSS + 0x68 + (L.DENIED_PORT >> 3), 0xffff);
  image.bytes[L.TSS + 0xe8] = 0xff;
  putTask(image, L.TSS_TASK, 'task', L.TASK_STACK);
  putTask(image, L.TSS_DOUBLE_FAULT, 'lost', L.DOUBLE_FAULT_STACK);
  // 286: IP, flags, SP, and ES CS SS DS.
  image.word(L.TSS_16 + 14, label('task'));
  image.word(L.TSS_16 + 16, 2);
  image.word(L.TSS_16 + 26, L.TASK_STACK);
  [SEL.data, SEL.code32, SEL.data, SEL.data].forEach((selector, i) => image.word(L.TSS_16 + 34 + 2 * i, selector));
}

function putPages(image: Image): void {
  const holes = [0xf000, 0x1_2000, 0x1_3000, 0x1_9000, 0x1_b000, 0x1_e000];
  for (const [table, directory] of [[L.PAGE_TABLE, L.PAGE_DIRECTORY], [L.OTHER_TABLE, L.OTHER_DIRECTORY]] as const) {
    for (let page = 0; page < L.END_OF_PAGES; page += 0x1000) {
      let bits = page < L.SYSTEM_END || page === L.SUPERVISOR ? USER_PAGE & ~USER : page === L.READ_ONLY ? USER_PAGE & ~WRITABLE : USER_PAGE;
      if (holes.includes(page)) bits &= ~PRESENT;
      image.dword(table + (page >>> 10), page | bits);
    }
    for (let i = 0; i < 4; i++) image.dword(table + (L.PAGE_TABLES_VA >>> 10) + 4 * i, L.PAGE_DIRECTORY + 0x1000 * i | USER_PAGE & ~USER);
    const entry = (va: number, value: number): void => image.dword(directory + (va >>> 22) * 4, value);
    entry(0, table | USER_PAGE);
    entry(L.ALIAS, table | USER_PAGE);
    entry(L.READ_ONLY_ALIAS, table | USER_PAGE & ~WRITABLE);
    entry(L.SUPERVISOR_ALIAS, table | USER_PAGE & ~USER);
    entry(L.LARGE_ALIAS, USER_PAGE | LARGE);
  }
  // The other one has a page of data elsewhere.
  image.dword(L.OTHER_TABLE + (L.DATA + 0x1000 >>> 10), L.DATA + 0x2000 | USER_PAGE);
}

function putStructures(image: Image, at: number): void {
  image.pointer(at + L.GDT_POINTER, L.GDT_LIMIT_BYTES, L.GDT);
  image.pointer(at + L.IDT_POINTER, 0x7ff, L.IDT);
  image.pointer(at + L.REAL_IDT_POINTER, 0x3ff, 0);
  image.pointer(at + L.SHORT_GDT_POINTER, 0x7f, L.GDT);
  image.pointer(at + L.SHORT_IDT_POINTER, 0xff, L.IDT);
  SELECTORS.forEach((selector, i) => image.word(at + L.SELECTOR_LIST + 2 * i, selector));
  image.word(at + L.BOUNDS_16, -100);
  image.word(at + L.BOUNDS_16 + 2, 100);
  image.dword(at + L.BOUNDS_32, -100);
  image.dword(at + L.BOUNDS_32 + 4, 100);
  for (let i = 0; i < L.FAR_COUNT; i++) {
    image.dword(at + L.FAR_32 + 8 * i, 0x100 * i);
    image.word(at + L.FAR_32 + 8 * i + 4, SELECTORS[i * 2]!);
    image.word(at + L.FAR_16 + 4 * i, 0x8100 + 0x10 * i);
    image.word(at + L.FAR_16 + 4 * i + 2, SELECTORS[i * 2]!);
  }
}

const HLT = 0xf4;

function systemImage(): Uint8Array {
  const image = new Image();
  image.bytes.fill(HLT);
  image.bytes.fill(0, 0, L.SYSTEM_END);
  image.bytes.fill(0, L.PAGE_DIRECTORY);
  putTables(image);
  putTasks(image);
  putPages(image);
  image.bytes.set(STUBS.bytes, L.STUBS);
  image.bytes.set(HANDLERS.bytes, L.HANDLERS);
  putStructures(image, L.LOW_DATA);
  putStructures(image, L.DATA);
  return image.bytes;
}

const SYSTEM = systemImage();
const RANDOM_AREAS = [[L.LOW_DATA, 0x1000], [L.DATA, 0x5000], [L.SUPERVISOR, 0x1000], [L.STACK, 0x2000]] as const;

/** All of RAM, without the code under test. */
export function makeImage({ memorySeed, doubleFaultTask }: ImageOptions): Uint8Array {
  const bytes = SYSTEM.slice(), words = new Int32Array(bytes.buffer);
  const random = new Random(memorySeed);
  for (const [base, size] of RANDOM_AREAS) {
    const from = base === L.LOW_DATA || base === L.DATA ? L.STRUCTURES_SIZE : 0;
    for (let at = base + from; at < base + size; at += 4) words[at >> 2] = random.next();
  }
  if (doubleFaultTask) {
    const [low, high] = gate(SEL.tssDoubleFault, 0, 0x85);
    words[L.IDT + 64 >> 2] = low;
    words[(L.IDT + 64 >> 2) + 1] = high;
  }
  return bytes;
}
