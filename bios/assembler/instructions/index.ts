/** All instruction templates by mnemonic. A family is one file with one table; a new one is added here. */
import { CONTROL } from './control.ts';
import { GENERAL } from './general.ts';
import { SIMD } from './simd.ts';
import { SYSTEM_TEMPLATES } from './system.ts';
import type { Template } from './template.ts';
import { X87 } from './x87.ts';

export const ALL_TEMPLATES: readonly Template[] = [...GENERAL, ...CONTROL, ...SYSTEM_TEMPLATES, ...X87, ...SIMD];

const byMnemonic = new Map<string, Template[]>();
for (const template of ALL_TEMPLATES) {
  const others = byMnemonic.get(template.mnemonic);
  if (others === undefined) byMnemonic.set(template.mnemonic, [template]);
  else others.push(template);
}

/** Templates of a lower-case mnemonic in order of preference, or undefined. */
export const templatesOf = (mnemonic: string): readonly Template[] | undefined => byMnemonic.get(mnemonic);
