import { expect } from 'chai';
import { pagePolicy } from '../../../src/http/page-policy.ts';

const formAction = (...targets: string[]) => /form-action (.*)$/.exec(pagePolicy("'sha256-x'").contentSecurityPolicy(targets))?.[1];

describe('http: the Content-Security-Policy of pages', () => {
  it('lets a form lead to this server and to the origin of the redirect URI', () => {
    expect(formAction()).to.equal("'self'");
    expect(formAction('https://app.example', 'https://app.example', 'http://127.0.0.1:4711', 'http://localhost:80')).to.equal(
      "'self' https://app.example http://127.0.0.1:4711 http://localhost:80",
    );
  });

  it('falls back to the scheme where the host cannot be written in a policy', () => {
    expect(
      formAction('http://[::1]:8080', 'http://192.0.2.1', 'https://my_app.example', 'com.example.app:', 'com.example.app://cb'),
    ).to.equal("'self' http: https: com.example.app:");
  });

  it('lets in the one script that it is told of, and none where it is not', () => {
    const policy = pagePolicy("'sha256-style'");
    expect(policy.contentSecurityPolicy([])).not.to.include('script-src');
    expect(policy.contentSecurityPolicy([], "'sha256-script'")).to.match(/(^|; )script-src 'sha256-script'; /);
    expect(policy.contentSecurityPolicy(['https://app.example'], "'sha256-script'")).to.match(/form-action 'self' https:\/\/app\.example$/);
  });

  it('cannot be extended by a target', () => {
    expect(formAction("https://a.example; script-src 'unsafe-inline'", '*', "'none'", 'https://a.example https://b.example', '')).to.equal(
      "'self' https:",
    );
  });
});
