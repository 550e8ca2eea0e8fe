/**
 * What the mouse does, as text: `RIGHT,DOWN[,BUTTONS[,WHEEL]]`, e.g. `10,-5`, `0,0,left`, `0,0,0,-1`.
 * Counts of movement as QEMU's `mouse_move` has them: x to the right, y downwards, wheel away from the user. BUTTONS are those held from now on:
 * names joined by `+`, or the number of QEMU's `mouse_button` (1 left, 2 middle, 4 right); none if left out.
 */
import { MOUSE_EXTRA, MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_SIDE } from '../devices/ps2-mouse.ts';

export interface MouseMove {
  readonly right: number;
  readonly down: number;
  /** Bits MOUSE_LEFT and so on. */
  readonly buttons: number;
  readonly wheel: number;
}

/** A place on the screen, from 0 (left, top) to 1. */
export interface MousePlace {
  readonly x: number;
  readonly y: number;
  readonly buttons: number;
  readonly wheel: number;
}

const BUTTONS: Readonly<Record<string, number>> = { left: MOUSE_LEFT, middle: MOUSE_MIDDLE, right: MOUSE_RIGHT, side: MOUSE_SIDE, extra: MOUSE_EXTRA };
/** By bit of QEMU's number. */
const NUMBERED = [MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_SIDE, MOUSE_EXTRA];
/** Far beyond any screen. */
const COUNTS_MAX = 32767;

/** @throws Error for what is no button */
export function mouseButtons(text: string): number {
  if (/^\d+$/.test(text) && Number(text) < 1 << NUMBERED.length) {
    return NUMBERED.reduce((bits, button, index) => bits | (Number(text) & (1 << index) ? button : 0), 0);
  }
  return text.split('+').reduce((bits, name) => {
    const button = Object.hasOwn(BUTTONS, name) ? BUTTONS[name] : undefined;
    if (button === undefined) throw new Error(`no mouse button '${name}' (${Object.keys(BUTTONS).join(', ')}; or 1 left, 2 middle, 4 right, and their sums)`);
    return bits | button;
  }, 0);
}

/** @throws Error for a number that is none, or too large */
function counts(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`'${text}' is not a whole number`);
  if (Math.abs(Number(text)) > COUNTS_MAX) throw new Error(`${text} is not between -${COUNTS_MAX} and ${COUNTS_MAX}`);
  return Number(text);
}

/** A part of the screen. @throws Error for what is none */
function part(text: string): number {
  if (!/^(\d+\.?\d*|\.\d+)$/.test(text) || Number(text) > 1) throw new Error(`'${text}' is not a number from 0 to 1`);
  return Number(text);
}

const partsOf = (text: string): string[] => text.split(',').map((piece) => piece.trim());

/** @throws Error that says what is wrong, in one line */
export function parseMouse(text: string): MouseMove {
  const [right, down, buttons = '0', wheel = '0', ...rest] = partsOf(text);
  if (right === undefined || down === undefined || rest.length > 0) throw new Error(`'${text}' is not RIGHT,DOWN[,BUTTONS[,WHEEL]]`);
  return { right: counts(right), down: counts(down), buttons: mouseButtons(buttons || '0'), wheel: counts(wheel) };
}

/** @throws Error that says what is wrong, in one line */
export function parsePlace(text: string): MousePlace {
  const [x, y, buttons = '0', wheel = '0', ...rest] = partsOf(text);
  if (x === undefined || y === undefined || rest.length > 0) throw new Error(`'${text}' is not X,Y[,BUTTONS[,WHEEL]]`);
  return { x: part(x), y: part(y), buttons: mouseButtons(buttons || '0'), wheel: counts(wheel) };
}
