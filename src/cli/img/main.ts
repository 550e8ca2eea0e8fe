/** The command `tcg86-img`. */
import { runImg } from './commands.ts';

// Nobody reads any more: nothing is left to be done.
process.stdout.on('error', () => process.exit(1));
process.exitCode = runImg(process.argv.slice(2));
