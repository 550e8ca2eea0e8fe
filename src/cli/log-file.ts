/** The log that -d, -D and -dfilter ask for. */
import { CollectedOutput, FileSink, reasonOf } from '../backends/output-file.ts';
import type { OutputSink } from '../backends/output-file.ts';
import { Log, parseLogFilter } from '../index.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import type { Output } from './output.ts';

export interface LogFile {
  /** null: nothing is logged. */
  readonly log: Log | null;
  flush(): void;
  close(): void;
}

/** @throws UsageError if the file cannot be created */
export function openLog(config: Config, output: Output): LogFile {
  const ranges = config.logFilter === null ? null : parseLogFilter(config.logFilter);
  if (config.logItems.length === 0) return { log: null, flush: () => {}, close: () => {} };
  const collected = new CollectedOutput(openSink(config.logFile, output));
  const encoder = new TextEncoder();
  return {
    log: new Log(config.logItems, (text) => collected.bytes(encoder.encode(text)), ranges),
    flush: () => collected.flush(),
    close: () => collected.close(),
  };
}

function openSink(file: string | null, output: Output): OutputSink {
  if (file === null) return { write: (bytes) => process.stderr.write(bytes), close: () => {} };
  try {
    return new FileSink(file, (reason) => output.complain(`-D ${file}: ${reason}`));
  } catch (error) {
    throw new UsageError(`-D ${file}: ${reasonOf(error)}`);
  }
}
