/**
 * Runs the .ir files of this folder: `# passes:` names the passes, then ops, `# expect`, and the ops wanted.
 * TCG86_UPDATE=1 rewrites the expectations.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PASSES, PASS_NAMES, createPipeline } from '../../../src/tcg/passes/pipeline.ts';
import { parseBlock, printBlock } from '../../../src/tcg/text.ts';
import { verify } from '../../../src/tcg/verify.ts';
import { GLOBALS, TestMachine } from '../machine.ts';

const folder = new URL('.', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ir'));
const names = PASSES.map((pass) => pass.name);

describe('.ir files', () => {
  for (const file of files) {
    it(file, () => {
      const path = new URL(file, folder);
      const text = readFileSync(path, 'utf8');
      const [input, expected] = text.split('\n# expect\n') as [string, string | undefined];
      const passes = /^# passes: (.*)$/m.exec(input)![1]!.split(' ');
      const chosen = passes[0] === 'all' ? names : passes;
      expect(names).toEqual(expect.arrayContaining(chosen));
      const block = parseBlock(input, GLOBALS, TestMachine.HELPERS);
      verify(block);
      for (const pass of PASSES) if (chosen.includes(pass.name)) pass.create()(block);
      verify(block);
      const output = printBlock(block);
      if (process.env.TCG86_UPDATE) writeFileSync(path, `${input.trimEnd()}\n\n# expect\n${output}\n`);
      else expect(output).toBe(expected?.trimEnd());
    });
  }

  it('exist for each pass', () => {
    const covered = files.map((file) => /^# passes: (\S*)/m.exec(readFileSync(new URL(file, folder), 'utf8'))![1]!);
    for (const name of names) if (name !== 'verify') expect(covered).toContain(name);
  });
});

describe('the pipeline', () => {
  it('leaves out what is switched off, and dumps after each pass', () => {
    const seen: string[] = [];
    const block = parseBlock('---- 1000\nadd_i32 eax,ecx,$0\nexit_tb $2', GLOBALS, TestMachine.HELPERS);
    createPipeline({ disabled: ['constant-folding', 'verify'], dump: (pass) => seen.push(pass) })(block);
    expect(seen).toEqual(names.filter((name) => name !== 'constant-folding' && name !== 'verify'));
    expect(printBlock(block)).toContain('add_i32 eax,ecx,$0x0');
  });

  it('refuses names that it does not know or cannot do without', () => {
    expect(() => createPipeline({ disabled: ['frob'] })).toThrow("no pass 'frob'");
    expect(() => createPipeline({ disabled: ['lower-i64'] })).toThrow(PASS_NAMES.join(', '));
  });
});
