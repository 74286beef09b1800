import { loadConfig } from '../config/load-config.ts';
import { systemClock } from '../core/clock.ts';
import { run } from './program.ts';

// A full disk, or a reader that has gone: whoever waits for a client's secret must learn that it was made and is lost.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.stderr.write(
    `keyturn: the answer could not be written (${error.code}). What was asked for may be done: look before you repeat it.\n`,
  );
  process.exit(1);
});

/** The program `keyturn`: importing this file runs the command that the process was started with. */
const status = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  loadConfig: () => loadConfig(),
  clock: systemClock,
});
if (status !== 0) {
  // Not left to the end of all work: a server that failed half-way through its start may have timers.
  process.exit(status);
}
