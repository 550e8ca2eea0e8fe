/** Register names of operands (Intel SDM vol. 1, chapter 3.4). */

/** `gp8`..`gp32`: general; `st`: x87 stack; the numbers are those of the reg and r/m fields. */
export type RegisterClass = 'gp8' | 'gp16' | 'gp32' | 'sreg' | 'creg' | 'dreg' | 'treg' | 'st' | 'mm' | 'xmm';

export interface Register {
  readonly kind: 'register';
  readonly name: string;
  readonly class: RegisterClass;
  readonly number: number;
  /** In bytes. */
  readonly size: number;
}

const registers = new Map<string, Register>();

function define(registerClass: RegisterClass, size: number, names: string): void {
  for (const [number, name] of names.split(' ').entries()) {
    registers.set(name, { kind: 'register', name, class: registerClass, number, size });
  }
}

const numbered = (prefix: string): string => [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `${prefix}${n}`).join(' ');

define('gp8', 1, 'al cl dl bl ah ch dh bh');
define('gp16', 2, 'ax cx dx bx sp bp si di');
define('gp32', 4, 'eax ecx edx ebx esp ebp esi edi');
define('sreg', 2, 'es cs ss ds fs gs');
define('creg', 4, numbered('cr'));
define('dreg', 4, numbered('dr'));
define('treg', 4, numbered('tr'));
define('st', 10, numbered('st'));
define('mm', 8, numbered('mm'));
define('xmm', 16, numbered('xmm'));

/** The register of that name in any case, or undefined. */
export const findRegister = (name: string): Register | undefined =>
  name.length >= 2 && name.length <= 4 ? registers.get(name.toLowerCase()) : undefined;

/** The register of that exact lower-case name. */
export function register(name: string): Register {
  const found = registers.get(name);
  if (found === undefined) throw new Error(`no register ${name}`);
  return found;
}
