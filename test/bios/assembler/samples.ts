/** Sample instructions made from the assembler's own templates: every template, every kind of operand that it takes. */
import { ALL_TEMPLATES } from '../../../bios/assembler/instructions/index.ts';
import type { Template } from '../../../bios/assembler/instructions/template.ts';

const MEMORY_16 = '[bx+si-3]';
const MEMORY_32 = '[ebx+ecx*4+500]';

const memory = (size: string): readonly string[] => [`${size} ${MEMORY_16}`, `${size} ${MEMORY_32}`];

const SIZES: Readonly<Record<string, string>> = { 8: 'byte', 16: 'word', 32: 'dword', 64: 'qword', 80: 'tword', 128: 'oword' };

const GENERAL: Readonly<Record<string, readonly string[]>> = { 8: ['bl', 'ah'], 16: ['bx', 'ax'], 32: ['ebx', 'eax'] };

/** Texts for an operand of the notation in template.ts. */
function samplesOfKind(kind: string): readonly string[] {
  const [, family, bits] = /^(.*?)(\d*)$/.exec(kind)!;
  const size = SIZES[bits!] ?? '';
  switch (family) {
    case 'r':
    case 'R':
      return GENERAL[bits!]!;
    case 'rm':
    case 'jm':
      return [...GENERAL[bits!]!, ...memory(size)];
    case 'm':
      return memory(size);
    case 'mu':
      return memory('');
    case 'mfar':
      return [`far ${size} ${MEMORY_16}`];
    case 'moff':
      return ['[0x1234]'];
    case 'mm/m':
      return ['mm3', ...memory(size)];
    case 'xmm/m':
      return ['xmm3', ...memory(size)];
    case 'mm':
    case 'mmR':
      return ['mm5'];
    case 'xmm':
    case 'xmmR':
      return ['xmm6'];
    case 'i':
      return bits === '8' ? ['0x12'] : bits === '16' ? ['0x1234', '-5'] : ['0x12345678', '-5'];
    case 'x':
    case 'sx':
      return bits === '8' ? ['byte 0x12'] : [`${size} 0x1234`, `${size} -5`, '0x12345'];
    case 's':
    case 'ub':
      return ['5', 'byte -5'];
    case 'nb':
      return ['5'];
    case 'nrel':
      return ['$+500', 'near $'];
    case 'uw':
      return ['0x1234'];
    case 'one':
      return ['1'];
    case 'rel':
    case 'srel':
      return bits === '8' ? ['$+5'] : [`${size} $+500`, 'near $'];
    case 'far':
      return [`${size} 0x1234:0x5678`];
    case 'sreg':
      return ['ds', 'gs'];
    case 'creg':
      return ['cr0', 'cr3'];
    case 'dreg':
      return ['dr7'];
    case 'treg':
      return ['tr6'];
    case 'sti':
      return ['st3'];
    case 'st':
      return ['st0'];
    case 'tosti':
      return ['to st4'];
    default:
      return [kind];
  }
}

function samplesOfTemplate(template: Template): string[] {
  const [mnemonic, operands] = template.text.split(' : ')[0]!.trim().split(/\s+/);
  let lines = [''];
  for (const kind of (operands ?? '').split(',').filter((name) => name !== '')) {
    lines = lines.flatMap((line) => samplesOfKind(kind).map((sample) => (line === '' ? sample : `${line},${sample}`)));
  }
  return lines.map((line) => `${mnemonic!.toLowerCase()} ${line}`.trim());
}

/** All samples, without doubles. */
export const sampleInstructions = (): string[] => [...new Set(ALL_TEMPLATES.flatMap(samplesOfTemplate))];
