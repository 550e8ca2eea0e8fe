/** Operands of db, dw, dd, dq, dt: strings, numbers, floats, `?` and `n dup (...)` (NASM manual, 3.2.1 and 3.2.2). */
import { LineError } from './errors.ts';
import { evaluate, evaluateNumber, parseExpression } from './expression.ts';
import type { Cursor, Expression, Scope } from './expression.ts';
import { fitsField } from './encode.ts';
import { floatBits, isSpecialFloat } from './float.ts';
import { stringBytes } from './literals.ts';
import { SIZE_KEYWORDS } from './operands.ts';
import { isScalar } from './value.ts';
import type { Value } from './value.ts';

export type DataItem =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'value'; readonly size: number; readonly expression: Expression }
  | { readonly kind: 'repeat'; readonly count: Expression; readonly items: readonly DataItem[] };

/** What emission needs from the pass. */
export interface DataContext extends Scope {
  resolve(value: Value): bigint;
  truncated(what: string): void;
}

function littleEndian(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(size * 8, value);
  for (let i = 0; i < size; i++) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}

/** A string fills whole items, padded with zeros. */
function padded(bytes: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(Math.ceil(bytes.length / size) * size);
  result.set(bytes);
  return result;
}

/** Consecutive constant bytes become one item. */
function mergeBytes(items: readonly DataItem[]): DataItem[] {
  const merged: DataItem[] = [];
  let run: number[] = [];
  const flush = (): void => {
    if (run.length > 0) merged.push({ kind: 'bytes', bytes: Uint8Array.from(run) });
    run = [];
  };
  for (const item of items) {
    if (item.kind === 'bytes') for (const byte of item.bytes) run.push(byte);
    else {
      flush();
      merged.push(item);
    }
  }
  flush();
  return merged;
}

function acceptSize(cursor: Cursor, size: number): number {
  const written = SIZE_KEYWORDS.get(cursor.keyword);
  if (written === undefined) return size;
  cursor.at++;
  return written;
}

/** `(1, 2)`, with a per cent sign before it or not. */
function parseList(cursor: Cursor, size: number): DataItem[] {
  const own = acceptSize(cursor, size);
  cursor.accept('%');
  cursor.expect('(');
  const items: DataItem[] = [];
  do items.push(...parseItem(cursor, own));
  while (cursor.accept(','));
  cursor.expect(')');
  return items;
}

/** An optional sign and a floating-point literal, or null with the cursor where it was. */
function acceptFloat(cursor: Cursor): { text: string; negative: boolean } | null {
  const start = cursor.at;
  const negative = cursor.accept('-');
  if (!negative) cursor.accept('+');
  const token = cursor.token;
  if (token !== undefined && (token.kind === 'float' || (token.kind === 'id' && isSpecialFloat(token.text)))) {
    cursor.at++;
    return { text: token.text, negative };
  }
  cursor.at = start;
  return null;
}

function parseItem(cursor: Cursor, size: number): DataItem[] {
  const token = cursor.token;
  if (token === undefined) throw new LineError('data expected');
  const next = cursor.tokens[cursor.at + 1];
  const endsHere = next === undefined || next.text === ',' || next.text === ')';
  if (token.kind === 'str' && endsHere) {
    cursor.at++;
    return [{ kind: 'bytes', bytes: padded(stringBytes(token.text), size) }];
  }
  if (token.text === '?' && endsHere) {
    cursor.at++;
    return [{ kind: 'bytes', bytes: new Uint8Array(size) }];
  }
  const float = acceptFloat(cursor);
  if (float !== null) return [{ kind: 'bytes', bytes: littleEndian(floatBits(float.text, float.negative, size), size) }];
  if (cursor.is('%')) return parseList(cursor, size);
  const own = acceptSize(cursor, size);
  if (cursor.is('%') || (own !== size && cursor.is('('))) return parseList(cursor, own);
  const expression = parseExpression(cursor);
  if (cursor.acceptKeyword('dup')) return [{ kind: 'repeat', count: expression, items: parseList(cursor, own) }];
  if (own === 10) throw new LineError('dt takes floating-point numbers and strings');
  if (expression.op === 'constant' && isScalar(expression.value) && fitsField(expression.value.number, own)) {
    return [{ kind: 'bytes', bytes: littleEndian(expression.value.number, own) }];
  }
  return [{ kind: 'value', size: own, expression }];
}

/** Parses to the end of the line. */
export function parseDataItems(cursor: Cursor, size: number): readonly DataItem[] {
  const items: DataItem[] = [];
  while (!cursor.done) {
    items.push(...parseItem(cursor, size));
    if (!cursor.done) cursor.expect(',');
  }
  return mergeBytes(items);
}

/** Bytes of the items in this pass, in pieces. */
export function emitData(items: readonly DataItem[], context: DataContext, emit: (bytes: Uint8Array) => void): void {
  for (const item of items) {
    if (item.kind === 'bytes') emit(item.bytes);
    else if (item.kind === 'value') {
      const value = context.resolve(evaluate(item.expression, context));
      if (item.size < 8 && !fitsField(value, item.size)) context.truncated(`data ${value}`);
      emit(littleEndian(value, item.size));
    } else {
      const count = Number(evaluateNumber(item.count, context, 'dup count'));
      if (count < 0) throw new LineError(`dup count is negative: ${count}`);
      for (let i = 0; i < count; i++) emitData(item.items, context, emit);
    }
  }
}
