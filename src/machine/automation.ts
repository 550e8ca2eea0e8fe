/**
 * Headless automation: steps that are done one after the other while the machine runs. The same list serves the
 * command line (`--expect`, `--type`, ...) and the library.
 */
import type { MediumOptions, RemovableDrive } from './media.ts';
import type { MouseMove, MousePlace } from './pointer.ts';
import type { Chord } from './typing.ts';

export type Step =
  /** Wait until the transcript matches. */
  | { readonly kind: 'expect'; readonly pattern: RegExp }
  /** Press keys one after the other; `text` says in messages what they were. */
  | { readonly kind: 'type' | 'key'; readonly chords: readonly Chord[]; readonly text: string }
  /** Move the mouse, hold buttons, turn the wheel. */
  | ({ readonly kind: 'mouse'; readonly text: string } & MouseMove)
  /** Point at a place on the screen (a tablet). */
  | ({ readonly kind: 'point'; readonly text: string } & MousePlace)
  /** Let `seconds` of virtual time pass. */
  | { readonly kind: 'wait'; readonly seconds: number }
  /** Put another medium into a drive (null: none). */
  | ({ readonly kind: 'change'; readonly drive: RemovableDrive; readonly file: string | null } & MediumOptions)
  /** Print the text screen. */
  | { readonly kind: 'screen' }
  /** Write a PNG of the screen. */
  | { readonly kind: 'screenshot'; readonly file: string };

/** A step could not be done: `message` says which one, and why, in one line. */
export class StepError extends Error {
  override readonly name = 'StepError';
}

export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'expect': return `--expect '${step.pattern.source}'`;
    case 'type':
    case 'mouse':
    case 'point':
    case 'key': return `--${step.kind} '${step.text}'`;
    case 'wait': return `--wait ${step.seconds}`;
    case 'change': return `--change ${step.drive}=${step.file ?? ''}`;
    case 'screen': return '--screen';
    case 'screenshot': return `--screenshot ${step.file}`;
  }
}
