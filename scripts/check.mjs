/** `npm run check`: everything that can be said of the sources without running the server, side by side. `npm run check -- lint types` picks. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const MOCHA = ['--import=tsx', '--no-experimental-require-module', 'node_modules/mocha/bin/_mocha', '--reporter=dot'];
const CHECKS = {
  types: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'],
  format: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
  lint: [
    'node_modules/oxlint/bin/oxlint',
    '--type-aware',
    '--deny-warnings',
    'src',
    'migrations',
    'test',
    'scripts',
    'bin',
    'bench',
    'examples',
  ],
  architecture: [...MOCHA, 'test/unit/architecture.test.ts'],
  'dead code': ['node_modules/knip/bin/knip.js', '--no-config-hints'],
  // Without the tests: what nothing but a test uses is dead too.
  'dead code beside tests': ['node_modules/knip/bin/knip.js', '--production', '--no-config-hints', '--include', 'files,exports'],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in CHECKS));
if (unknown.length > 0) {
  process.stderr.write(`No such check: ${unknown.join(', ')}. There are: ${Object.keys(CHECKS).join(', ')}.\n`);
  process.exitCode = 2;
} else {
  const chosen = Object.entries(CHECKS).filter(([name]) => wanted.length === 0 || wanted.includes(name));
  const results = await Promise.all(chosen.map(([name, command]) => check(name, command)));
  process.exitCode = results.every(Boolean) ? 0 : 1;
}

async function check(name, command) {
  const started = performance.now();
  const child = spawn(process.execPath, command, { cwd: join(import.meta.dirname, '..'), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(code === 0 ? `✔ ${name} (${seconds} s)\n` : `✖ ${name} (${seconds} s)\n${output.trimEnd()}\n\n`);
  return code === 0;
}
