/** Where a line came from, and the errors that name it. */

/** The line that a message points at: the outermost one, so for a line out of a macro the line that calls the macro. */
export interface Location {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** ` (macro name, file:line)` for lines that a macro made, else empty. */
  readonly note: string;
}

export const formatMessage = (at: Location, message: string): string => `${at.file}:${at.line}: ${message}${at.note}`;

/** What assemble() throws: `message` holds one `file:line: text` per line, `errors` the same as a list. */
export class AssemblyError extends Error {
  readonly errors: readonly string[];
  constructor(errors: readonly string[]) {
    super(errors.join('\n'));
    this.name = 'AssemblyError';
    this.errors = errors;
  }
}

/** A mistake in the line being worked on; the driver adds the location. */
export class LineError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LineError';
  }
}

/** A mistake after which going on makes no sense (`%fatal`, a missing include, an open %macro). */
export class FatalError extends LineError {}
