/** Something the user can mend: printed as one line `tcg86: ...`, exit code 1, never with a stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Asked for instead of a machine. */
export class Information {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
