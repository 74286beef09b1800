/** Signs as fast as the machine can, with the algorithm of the run, for as long as asked: each line on standard input is a number of seconds. */
import { sign } from 'node:crypto';
import { createInterface } from 'node:readline';
import { settings, signingKey } from './contract.mjs';

const IN_FLIGHT = 16;
const key = { key: signingKey(), ...(settings.alg === 'ES256' ? { dsaEncoding: 'ieee-p1363' } : {}) };
const input = Buffer.alloc(300, 'a');

process.stdout.write(`${JSON.stringify({ msg: 'listening', issuer: 'http://localhost' })}\n`);
process.once('SIGTERM', () => process.exit(0));
for await (const seconds of createInterface({ input: process.stdin })) {
  const endsAt = performance.now() + Number(seconds) * 1000;
  const counts = await Promise.all(Array.from({ length: IN_FLIGHT }, () => signUntil(endsAt)));
  process.stdout.write(`${JSON.stringify({ signatures: counts.reduce((sum, count) => sum + count) })}\n`);
}

async function signUntil(endsAt) {
  let count = 0;
  while (performance.now() < endsAt) {
    await new Promise((resolve, reject) => sign('sha256', input, key, (error) => (error === null ? resolve() : reject(error))));
    count += 1;
  }
  return count;
}
