/** The declared state of the floppy controller, shared by its registers (fdc.ts) and its data transfers (fdc-transfer.ts). */

import { CONFIG_EFIFO } from './fdc-registers.ts';
import { DeviceState } from './device.ts';

/** Units that the controller can address; the board connects two. */
export const UNITS = 4;

/** What the controller is doing; `fields.phase`. */
export const PHASE_COMMAND = 0;
/** Looking for a sector, or storing one, until the deadline. */
export const PHASE_EXECUTE = 1;
/** Moving the buffer, by DMA or byte by byte. */
export const PHASE_TRANSFER = 2;
export const PHASE_RESULT = 3;
/** After the reset bit went up, until the controller takes commands. */
export const PHASE_RESET = 4;
/** Waiting for an index pulse that never comes: no medium or no motor. Only a reset helps. */
export const PHASE_HUNG = 5;

/** `fields.pending` of a unit that has nothing to report. */
export const NOTHING_PENDING = 0xff;

/** Before any time (ns). */
const LONG_AGO = -1e15;

export const createFdcState = () =>
  new DeviceState(2, {
    dor: 0, tdr: 0,
    /** Rate code and precompensation of the last write to DSR or CCR. */
    dsr: 2,
    phase: PHASE_COMMAND,
    /** INT, before the DMA gate. */
    interrupt: 0,
    /** SENSE INTERRUPT STATUS answers that a reset still owes. */
    polling: 0,
    deadline: 0,
    /** Bytes of the command so far, and how many. */
    command: new Uint8Array(16), length: 0,
    /** Result bytes, how many, and how many the host has read. */
    result: new Uint8Array(16), resultLength: 0, resultPosition: 0,
    /** SPECIFY: SRT and HUT, HLT and ND. CONFIGURE: bits, first track of precompensation. */
    specify1: 0, specify2: 0, config: CONFIG_EFIFO, pretrk: 0, lock: 0, perpendicular: 0,
    /** EOT or SC of the last command, for DUMPREG. */
    lastCount: 0,
    /** By unit: where the head stands; what the controller believes; disk change flip-flop. */
    cylinder: new Uint8Array(UNITS), pcn: new Uint8Array(UNITS), changed: new Uint8Array(UNITS).fill(1),
    /** By unit: a seek under way (see fdc-seek.ts), its target, its deadline, ST0 for SENSE INTERRUPT STATUS. */
    seeking: new Uint8Array(UNITS), target: new Uint8Array(UNITS), seekDeadline: new Float64Array(UNITS),
    pending: new Uint8Array(UNITS).fill(NOTHING_PENDING),
    /** By unit: when the motor has its speed, when it was switched off last, when the head rests. */
    motorReady: new Float64Array(UNITS), motorOff: new Float64Array(UNITS).fill(LONG_AGO), settled: new Float64Array(UNITS),
    /** The unit whose head was loaded last, and until when it stays so. */
    headUnit: 0, headUntil: 0,
    /** When the head began to look for the sector that the transfer is at, and when that sector's data ends. */
    from: 0, dataEnd: 0,
    /** The sector ID that the transfer is at, and the sectors that VERIFY and FORMAT still have to do. */
    c: 0, h: 0, r: 0, n: 0, head: 0, remaining: 0,
    st1: 0, st2: 0,
    /** 1 while a sector is being stored. */
    storing: 0,
    position: 0, limit: 0, terminal: 0,
    buffer: new Uint8Array(512),
  });

export type FdcFields = ReturnType<typeof createFdcState>['fields'];
