/** The assembler's command line: `cli INPUT.asm OUTPUT.bin [LISTING]`. Not for import: it runs. */
import { writeFileSync } from 'node:fs';
import { AssemblyError } from './assemble.ts';
import { assembleFile } from './files.ts';

function main(parameters: readonly string[]): number {
  const [input, output, listing] = parameters;
  if (input === undefined || output === undefined) {
    process.stderr.write('usage: assembler INPUT.asm OUTPUT.bin [LISTING]\n');
    return 2;
  }
  try {
    const assembly = assembleFile(input, { listing: listing !== undefined });
    for (const warning of assembly.warnings) process.stderr.write(`warning: ${warning}\n`);
    writeFileSync(output, assembly.bytes);
    if (listing !== undefined) writeFileSync(listing, assembly.listing ?? '');
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof AssemblyError || error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
