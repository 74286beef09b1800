/** `node bench/profile.mjs FILE.cpuprofile`: where the time went, by function and by file, without what was idle. */
import { readFileSync } from 'node:fs';

const LINES = 45;
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
const own = new Map();
let total = 0;
for (const [index, id] of samples.entries()) {
  const { functionName, url, lineNumber } = byId.get(id);
  if (functionName !== '(idle)' && functionName !== '(program)') {
    const name = `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
    own.set(name, (own.get(name) ?? 0) + timeDeltas[index]);
    total += timeDeltas[index];
  }
}
for (const [name, microseconds] of [...own].toSorted(([, one], [, other]) => other - one).slice(0, LINES)) {
  process.stdout.write(`${((100 * microseconds) / total).toFixed(1).padStart(5)} %  ${name}\n`);
}
