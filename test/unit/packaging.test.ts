import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '..', '..');

describe('the package', () => {
  it('names exact versions, so that a clone next year gets what was tested', () => {
    const { dependencies, devDependencies }: Record<string, Record<string, string>> = JSON.parse(read('package.json'));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, name).to.match(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    }
  });

  it('ties its lock file to no registry: an install takes the one it is configured for', () => {
    const lock: { packages: Record<string, { resolved?: string; integrity?: string }> } = JSON.parse(read('package-lock.json'));
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(packages.length).to.be.greaterThan(100);
    for (const [path, { resolved, integrity }] of packages) {
      expect(resolved, path).to.equal(undefined);
      expect(integrity, path).to.match(/^sha512-/);
    }
  });
});

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
