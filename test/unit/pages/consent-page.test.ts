import { expect } from 'chai';
import { type ConsentPage, consentPage } from '../../../src/pages/consent-page.ts';
import { tagsOf, textOf } from './markup-reader.ts';

const data: ConsentPage = {
  language: 'en',
  client: { name: 'Harbor Notes' },
  username: 'minji',
  scopes: ['openid', 'read:orders'],
  details: [],
  resources: [{ identifier: 'https://api.example/' }],
  redirectTo: 'app.example.com',
  remembered: false,
  action: '/interaction/consent',
  hidden: { flow: 'f1' },
};

// Where an element ends before a full stop, the reader leaves a space.
const read = (html: string) => textOf(html).replaceAll(/ ([.,])/g, '$1');

describe('the consent page', () => {
  it('shows who asks, for what, for whom, and where the browser goes', () => {
    const text = textOf(consentPage(data));
    expect(text).to.contain('Harbor Notes asks for access to your account');
    expect(text).to.contain('Recognize you when you come back').and.to.contain('Use the permission read:orders');
    expect(text)
      .to.contain('Signed in as minji')
      .and.to.contain('Sends you to app.example.com')
      .and.to.contain('Access to https://api.example/');
  });

  it('shows the same in Korean', () => {
    const text = textOf(consentPage({ ...data, language: 'ko' }));
    expect(text).to.contain('Harbor Notes 앱이 회원님의 계정에 접근하려고 합니다');
    expect(text).to.contain('read:orders 권한 사용하기').and.to.contain('로그인한 계정 minji').and.to.contain('이동할 곳 app.example.com');
  });

  it('shows the name of a resource that has one, and always its identifier, in both languages', () => {
    const resources = [{ identifier: 'https://api.example/', name: '<b>Orders' }, { identifier: 'urn:example:files' }];
    const english = consentPage({ ...data, resources });
    expect(english).to.contain('<bdi>&lt;b&gt;Orders</bdi>');
    expect(textOf(english)).to.match(/Access to <b>Orders https:\/\/api\.example\/ *urn:example:files/);
    expect(textOf(consentPage({ ...data, language: 'ko', resources }))).to.match(
      /접근 대상 <b>Orders https:\/\/api\.example\/ *urn:example:files/,
    );
  });

  describe('of a client that no operator registered', () => {
    const unverified = { host: 'notes.example:8443', claimedName: 'Your Bank', redirect: 'own host' } as const;

    it('calls it by its host, in both languages, and says that nobody has checked it', () => {
      const english = read(consentPage({ ...data, client: { name: 'Your Bank' }, unverified }));
      expect(english).to.contain('notes.example:8443 asks for access to your account').and.to.contain('Calls itself Your Bank');
      expect(english).to.contain('This application was not checked here. All that is sure of it is its address: notes.example:8443.');
      const korean = read(consentPage({ ...data, language: 'ko', unverified }));
      expect(korean)
        .to.contain('notes.example:8443 앱이 회원님의 계정에 접근하려고 합니다')
        .and.to.contain('여기에서 확인하지 않은 앱입니다');
      expect(korean).to.contain('앱이 밝힌 이름 Your Bank');
    });

    it('shows a host whole, however long: whose it is stands at its end', () => {
      const host = `accounts.bank.example.${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.evil.example`;
      expect(read(consentPage({ ...data, unverified: { ...unverified, host } }))).to.contain(`${host} asks for access`);
    });

    it('warns of an answer that goes to another host, or to this device, and of no other', () => {
      const elsewhere = 'The answer does not go to notes.example:8443, but to another address.';
      const here = 'any program on it could pose as notes.example:8443';
      for (const [redirect, warned] of [
        ['own host', []],
        ['other host', [elsewhere]],
        ['this device', [here]],
      ] as const) {
        const text = read(consentPage({ ...data, unverified: { ...unverified, redirect } }));
        expect([elsewhere, here].filter((sentence) => text.includes(sentence))).to.deep.equal(warned);
      }
    });

    it('says nothing of the kind of any other client', () => {
      expect(read(consentPage(data))).not.to.match(/checked|Calls itself/);
    });
  });

  it('offers allow, deny and another account, the first form and its first button being what a plain program wants', () => {
    const html = consentPage(data);
    const decisions = tagsOf(html).filter((tag) => tag.name === 'button');
    expect(decisions.map((tag) => [tag.attributes.get('name'), tag.attributes.get('value')])).to.deep.equal([
      ['decision', 'allow'],
      ['decision', 'deny'],
      ['decision', 'switch'],
    ]);
    const [first = '', second = ''] = html.match(/<form[\s\S]*?<\/form>/g) ?? [];
    expect(first).to.contain('value="allow"').and.to.contain('value="deny"').and.not.to.contain('value="switch"');
    expect(second).to.contain('value="switch"').and.to.contain('name="flow" value="f1"');
  });

  it('shows of a request from another device its code and where it came from, and makes deny as prominent as allow', () => {
    const deferred = { userCode: 'WDJB-MJHT', address: '203.0.113.9', isSameNetwork: false };
    const html = consentPage({ ...data, redirectTo: undefined, deferred });
    expect(textOf(html))
      .to.contain('Code on the device WDJB-MJHT')
      .and.to.match(/Asked from 203\.0\.113\.9 ?, not the network you are on/)
      .and.to.contain('deny it')
      .and.not.to.contain('Sends you to');
    const [allow, deny] = tagsOf(html).filter((tag) => tag.name === 'button');
    expect(allow?.attributes.get('class')).to.equal(deny?.attributes.get('class'));
    const korean = textOf(consentPage({ ...data, language: 'ko', redirectTo: undefined, deferred: { ...deferred, isSameNetwork: true } }));
    expect(korean).to.contain('기기에 표시된 코드 WDJB-MJHT').and.to.contain('(지금 이용 중인 네트워크)');
  });

  it('focuses no button, so that a stray Enter allows nothing', () => {
    expect(consentPage(data)).not.to.contain('autofocus');
  });

  it('says that it will not ask again only where that is so', () => {
    const sentence = 'Once allowed, the same access is not asked for again.';
    expect(textOf(consentPage({ ...data, remembered: true }))).to.contain(sentence);
    expect(textOf(consentPage(data))).not.to.contain(sentence);
  });

  it('makes links of https addresses alone, which take nothing along', () => {
    const addresses = [
      'https://a.example/x?y=1&z',
      'http://a.example',
      'javascript:alert(1)',
      'data:text/html,x',
      '//a.example',
      'https://bank.example@a.example/',
      'nonsense',
      '',
    ];
    const links = addresses.map((uri) => tagsOf(consentPage({ ...data, client: { name: 'x', uri } })).filter((tag) => tag.name === 'a'));
    expect(links.map((found) => found.length)).to.deep.equal([1, 0, 0, 0, 0, 0, 0, 0]);
    const link = links[0]?.[0]?.attributes;
    expect(link?.get('href')).to.equal('https://a.example/x?y=1&amp;z');
    expect(link?.get('rel')).to.contain('noopener').and.to.contain('noreferrer');
  });

  it('cuts a long name of a client, and never the host the browser goes to', () => {
    const host = `accounts.bank.example.${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.evil.example`;
    const text = textOf(consentPage({ ...data, client: { name: 'N'.repeat(500) }, redirectTo: host }));
    expect(text)
      .to.contain(`${'N'.repeat(63)}…`)
      .and.not.to.contain('N'.repeat(64));
    expect(text).to.contain(host);
  });

  it('says so when nothing in particular is asked for', () => {
    expect(textOf(consentPage({ ...data, scopes: [] }))).to.contain('It asks for no particular permission.');
  });
});
