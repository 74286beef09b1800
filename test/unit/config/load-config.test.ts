import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ConfigurationError, loadConfig } from '../../../src/config/load-config.ts';

describe('loading the configuration', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyturn-config-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('reads the .env file of the folder', () => {
    writeFileSync(join(folder, '.env'), 'PORT=5000\nHOST=::1\n');
    expect(loadConfig(folder, { PORT: '6000' })).to.include({ port: 6000, host: '::1' });
  });

  it('goes without a .env file', () => {
    expect(loadConfig(folder, {}).port).to.equal(4000);
  });

  it('throws every problem, one line each', () => {
    writeFileSync(join(folder, '.env'), 'ISUER=https://login.example\n');
    expect(() => loadConfig(folder, { PORT: 'x', ACCESS_TOKEN_TTL: '1' }))
      .to.throw(ConfigurationError)
      .with.property('message')
      .that.matches(/^"ISUER" .*\nPORT .*\nACCESS_TOKEN_TTL .*$/);
  });

  it('does not go on with defaults when the .env file cannot be read', () => {
    mkdirSync(join(folder, '.env'));
    expect(() => loadConfig(folder, {})).to.throw(ConfigurationError, '.env is there and cannot be read (EISDIR)');
  });
});
