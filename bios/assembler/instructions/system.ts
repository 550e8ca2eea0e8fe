/** System instructions: descriptor tables, control registers, caches, counters (Intel SDM vol. 2; 80286 to P6). */
import { templates } from './template.ts';
import type { Template } from './template.ts';

const SYSTEM = `
SGDT mu : 0F 01 /0
SIDT mu : 0F 01 /1
LGDT mu : 0F 01 /2
LIDT mu : 0F 01 /3
SLDT m16 : 0F 00 /0
SLDT Rv : 0F 00 /0
STR m16 : 0F 00 /1
STR Rv : 0F 00 /1
SMSW m16 : 0F 01 /4
SMSW Rv : 0F 01 /4
LLDT rm16 : 0F 00 /2
LTR rm16 : 0F 00 /3
VERR rm16 : 0F 00 /4
VERW rm16 : 0F 00 /5
LMSW rm16 : 0F 01 /6
INVLPG mu : 0F 01 /7
LAR rv,rm16 : 0F 02 /r
LAR rv,R32 : 0F 02 /r
LSL rv,rm16 : 0F 03 /r
LSL rv,R32 : 0F 03 /r
ARPL rm16,r16 : 63 /r
CLTS : 0F 06
INVD : 0F 08
WBINVD : 0F 09
UD0 : 0F FF
UD1 : 0F B9
UD2 : 0F 0B
UD2A : 0F 0B
UD2B : 0F B9
SYSCALL : 0F 05
SYSRET : 0F 07
SYSENTER : 0F 34
SYSEXIT : 0F 35
WRMSR : 0F 30
RDTSC : 0F 31
RDMSR : 0F 32
RDPMC : 0F 33
RDTSCP : 0F 01 F9
CPUID : 0F A2
RSM : 0F AA
MONITOR : 0F 01 C8
MWAIT : 0F 01 C9
CLAC : 0F 01 CA
STAC : 0F 01 CB
XGETBV : 0F 01 D0
XSETBV : 0F 01 D1
VMCALL : 0F 01 C1
`;

export const SYSTEM_TEMPLATES: readonly Template[] = templates(SYSTEM);
