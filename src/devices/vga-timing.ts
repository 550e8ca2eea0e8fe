/**
 * Where the beam is at a moment of virtual time: what input status 1 shows.
 * Source: IBM PS/2 Video Subsystems (1992): CRT controller timings, miscellaneous output (clock select).
 */

import {
  CLOCKING_8_DOTS, CLOCKING_HALF, CR_HORIZONTAL_END, CR_HORIZONTAL_TOTAL, CR_RETRACE_END, frameLines, retraceStart, SEQ_CLOCKING, shownLines,
} from './vga-registers.ts';
import type { VgaFields } from './vga-registers.ts';
import { extendedMode } from './vga-dispi.ts';

/** Hz by clock select; the third and fourth are not there on a VGA. */
const DOT_CLOCKS = [25_175_000, 28_322_000, 25_175_000, 28_322_000];

/** Input status 1: not displaying (horizontal or vertical). */
export const STATUS_BLANK = 0x01;
/** Input status 1: vertical retrace. */
export const STATUS_RETRACE = 0x08;

/** What is assumed of a CRT controller that nobody has programmed: 80 × 25 at 70 Hz. */
const UNPROGRAMMED = { line: 31_778, lines: 449, shown: 25_422, end: 400, retrace: 412, retraceEnd: 414 };
/** Of a mode of the VBE extensions, whose registers say nothing of it: 60 Hz, this many lines not displayed, 4/5 of a line displayed. */
const EXTENDED_FRAME = 1e9 / 60, EXTENDED_BLANK = 45;

interface Timing {
  /** Nanoseconds of a scan line, and of its displayed part. */
  readonly line: number;
  readonly shown: number;
  /** Scan lines of a frame; the first that is not displayed; first of the retrace, first after it. */
  readonly lines: number;
  readonly end: number;
  readonly retrace: number;
  readonly retraceEnd: number;
}

function timing(fields: VgaFields): Timing {
  const { crtc, sequencer, misc } = fields;
  const extended = extendedMode(fields);
  if (extended !== null) {
    const { height } = extended, lines = height + EXTENDED_BLANK, line = EXTENDED_FRAME / lines;
    return { line, shown: line * 0.8, lines, end: height, retrace: height + 10, retraceEnd: height + 12 };
  }
  const lines = frameLines(crtc);
  if (crtc[CR_HORIZONTAL_TOTAL] === 0 || lines < 3) return UNPROGRAMMED;
  const dots = (sequencer[SEQ_CLOCKING] & CLOCKING_8_DOTS) !== 0 ? 8 : 9;
  const half = (sequencer[SEQ_CLOCKING] & CLOCKING_HALF) !== 0 ? 2 : 1;
  const character = (dots * half * 1e9) / DOT_CLOCKS[(misc >> 2) & 3];
  const retrace = retraceStart(crtc);
  // The register holds the low four bits of the line at which the retrace ends.
  const width = (crtc[CR_RETRACE_END] - retrace) & 15;
  return {
    line: character * (crtc[CR_HORIZONTAL_TOTAL] + 5),
    shown: character * (crtc[CR_HORIZONTAL_END] + 1),
    lines,
    end: shownLines(crtc),
    retrace,
    retraceEnd: retrace + (width === 0 ? 16 : width),
  };
}

/** STATUS_BLANK and STATUS_RETRACE at time `now` (ns). */
export function beamStatus(fields: VgaFields, now: number): number {
  const t = timing(fields);
  const inFrame = now % (t.line * t.lines);
  const line = Math.floor(inFrame / t.line);
  const blank = line >= t.end || inFrame - line * t.line >= t.shown;
  const retrace = line >= t.retrace && line < t.retraceEnd;
  return (blank ? STATUS_BLANK : 0) | (retrace ? STATUS_RETRACE : 0);
}

/** Nanoseconds of a frame: what cursor and blinking count in. */
export function framePeriod(fields: VgaFields): number {
  const t = timing(fields);
  return t.line * t.lines;
}
