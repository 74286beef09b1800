import { expect } from 'chai';
import { readConfig } from '../../../src/config/read-config.ts';

/** What a setting makes of the configuration, or what is wrong with it. */
function read(settings: Readonly<Record<string, string>>) {
  const reading = readConfig(settings, undefined);
  return 'problems' in reading ? reading.problems.join('\n') : [reading.config.clientDocumentHosts, reading.config.selfRegistered];
}

describe('settings for clients that no operator registered', () => {
  it('are lists of hosts, scope values and resources', () => {
    expect(
      read({
        CLIENT_ID_METADATA_HOSTS: 'app.example, *.app.example,127.0.0.1,[::1],xn--bcher-kva.example',
        SELF_REGISTERED_SCOPE: ' openid api:read ',
        SELF_REGISTERED_RESOURCES: 'https://mcp.example/, urn:example:files',
      }),
    ).to.deep.equal([
      ['app.example', '*.app.example', '127.0.0.1', '[::1]', 'xn--bcher-kva.example'],
      { scope: 'openid api:read', resources: ['https://mcp.example/', 'urn:example:files'] },
    ]);
  });

  for (const host of [
    'https://app.example',
    'app.example:443',
    'App.example',
    'bücher.example',
    '*',
    '*.',
    'a.*.example',
    '.example',
    'a..example',
    'app.example/x',
  ]) {
    it(`name no host by ${host}`, () => {
      expect(read({ CLIENT_ID_METADATA_HOSTS: `app.example,${host}` })).to.match(/^CLIENT_ID_METADATA_HOSTS must be hosts/);
    });
  }

  it('refuse what is no scope value, and what is no resource', () => {
    expect(read({ SELF_REGISTERED_SCOPE: 'api:read "all"' })).to.match(/^SELF_REGISTERED_SCOPE must be scope values/);
    for (const resource of ['mcp.example', 'https://mcp.example/#x', '/mcp']) {
      expect(read({ SELF_REGISTERED_RESOURCES: resource })).to.match(/^SELF_REGISTERED_RESOURCES must be absolute URIs/);
    }
  });
});
