/** Logical source lines: continuations joined, tokens made only when asked for (text under a false %if may be anything). */
import { tokenize } from '../lexer.ts';
import type { Token } from '../lexer.ts';

export class SourceLine {
  readonly file: string;
  /** Number of its first physical line, from 1. */
  readonly line: number;
  readonly text: string;
  #tokens: readonly Token[] | null = null;

  constructor(file: string, line: number, text: string) {
    this.file = file;
    this.line = line;
    this.text = text;
  }

  get tokens(): readonly Token[] {
    this.#tokens ??= tokenize(this.text);
    return this.#tokens;
  }

  /** Name of the `%directive` that the line starts with, in lower case, or ''. */
  get directive(): string {
    const found = /^\s*%\{?([A-Za-z]\w*)/.exec(this.text);
    return found === null ? '' : found[1]!.toLowerCase();
  }
}

/** Splits a file; a backslash at the end of a line joins the next one to it. */
export function splitLines(file: string, source: string): SourceLine[] {
  const physical = source.split('\n');
  if (physical[physical.length - 1] === '') physical.pop();
  const lines: SourceLine[] = [];
  for (let i = 0; i < physical.length; i++) {
    const first = i;
    let text = physical[i]!.replace(/\r$/, '');
    while (text.endsWith('\\') && i + 1 < physical.length) text = text.slice(0, -1) + physical[++i]!.replace(/\r$/, '');
    lines.push(new SourceLine(file, first + 1, text));
  }
  return lines;
}
