import { expect } from 'chai';
import { loginPage } from '../../../src/pages/login-page.ts';
import { tagsOf, textOf } from './markup-reader.ts';

const data = { language: 'en', clientName: 'Harbor Notes', action: '/interaction/login', hidden: { flow: 'f1' } } as const;

describe('the login page', () => {
  it('has the inputs that people, password managers and programs look for', () => {
    const { username, password } = inputs(loginPage(data));
    expect(username?.get('type')).to.equal('text');
    expect(username?.get('autocomplete')).to.equal('username');
    expect(username?.get('autocapitalize')).to.equal('none');
    expect(username?.get('spellcheck')).to.equal('false');
    expect(password?.get('type')).to.equal('password');
    expect(password?.get('autocomplete')).to.equal('current-password');
    expect(loginPage(data)).to.contain('<form method="post" action="/interaction/login">').and.to.contain('name="flow" value="f1"');
  });

  it('names the client the user is on the way to', () => {
    expect(textOf(loginPage(data))).to.contain('to continue to Harbor Notes');
    expect(textOf(loginPage({ ...data, language: 'ko' }))).to.contain('Harbor Notes 앱을 계속 이용하려면 로그인해 주십시오.');
    expect(textOf(loginPage({ ...data, clientName: ' \u200b ' }))).to.contain('An unnamed application');
  });

  it('puts the focus where the next thing is typed', () => {
    expect(focused(loginPage(data))).to.deep.equal(['username']);
    expect(focused(loginPage({ ...data, username: 'minji' }))).to.deep.equal(['password']);
    expect(focused(loginPage({ ...data, username: 'minji', problem: 'refused' }))).to.deep.equal(['password']);
  });

  it('keeps the username and never a password', () => {
    const { username, password } = inputs(loginPage({ ...data, username: 'minji', problem: 'refused' }));
    expect(username?.get('value')).to.equal('minji');
    expect(password?.has('value')).to.equal(false);
  });

  it('announces a refusal without saying which of the two was wrong', () => {
    const html = loginPage({ ...data, username: 'minji', problem: 'refused' });
    const { username, password } = inputs(html);
    expect(html)
      .to.match(/id="problem" role="alert"/)
      .and.to.contain('<title>Problem: Sign in · Keyturn</title>');
    expect(textOf(html)).to.contain('The username or the password is not right.');
    for (const input of [username, password]) {
      expect(input?.get('aria-invalid')).to.equal('true');
      expect(input?.get('aria-describedby')).to.equal('problem');
    }
  });

  it('says how long to wait, rounded up', () => {
    expect(waiting(1)).to.contain('Try again in 1 second.');
    expect(waiting(29.2)).to.contain('Try again in 30 seconds.');
    expect(waiting(0)).to.contain('Try again in 1 second.');
    expect(waiting(121)).to.contain('Try again in 3 minutes.');
    expect(waiting(7200)).to.contain('Try again in 2 hours.');
    expect(waiting(90, 'ko')).to.contain('90초 후에 다시 시도해 주십시오.');
    expect(waiting()).to.contain('Wait a little before you try again.');
  });

  it('calls no field wrong when the form was only too old or too frequent', () => {
    for (const problem of ['expired', 'throttled'] as const) {
      const html = loginPage({ ...data, problem });
      expect(html).to.contain('role="alert"');
      expect(inputs(html).password?.has('aria-invalid')).to.equal(false);
    }
  });

  it('confirms a sign-out, politely', () => {
    const html = loginPage({ ...data, signedOut: true });
    expect(html).to.contain('role="status"').and.not.to.contain('role="alert"');
    expect(textOf(html)).to.contain('You are signed out.');
  });
});

function inputs(html: string): Readonly<Record<string, ReadonlyMap<string, string>>> {
  const found = tagsOf(html).filter((tag) => tag.name === 'input');
  return Object.fromEntries(found.map(({ attributes }) => [attributes.get('name') ?? '', attributes]));
}

function focused(html: string): readonly (string | undefined)[] {
  return tagsOf(html)
    .filter((tag) => tag.attributes.has('autofocus'))
    .map((tag) => tag.attributes.get('name'));
}

function waiting(seconds?: number, language: 'en' | 'ko' = 'en'): string {
  return textOf(loginPage({ ...data, language, problem: 'throttled', retryAfterSeconds: seconds }));
}
