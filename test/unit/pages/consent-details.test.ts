import { expect } from 'chai';
import { detailInWords } from '../../../src/pages/consent-details.ts';
import { PAYMENT, payment } from '../../support/detail-types.ts';
import { textOf } from './markup-reader.ts';

/** As on a page. */
const shown = (markup: string): string => textOf(`<body>${markup}</body>`).trim();

const inEnglish = (detail: Readonly<Record<string, unknown>>): string => shown(detailInWords('en', { words: PAYMENT, detail }));

describe('authorization details on the consent page (RFC 9396)', () => {
  it('are what the operator calls them, with every member in words', () => {
    const text = inEnglish(payment('123.50', { isUrgent: true, locations: ['https://bank.example/payments'], count: 2 }));
    expect(text).to.match(/^Make a payment The bank pays once, and no more than this\./);
    expect(text).to.include('Amount currency EUR amount 123.50').and.to.include('To Merchant A');
    expect(text).to.include('Actions initiate status').and.to.include('Where https://bank.example/payments');
    expect(text).to.include('isUrgent Yes').and.to.include('count 2');
  });

  it('are in Korean where the operator said how, and else in English', () => {
    const text = shown(detailInWords('ko', { words: PAYMENT, detail: payment() }));
    expect(text)
      .to.match(/^결제하기/)
      .and.to.include('금액')
      .and.to.include('작업 initiate')
      .and.to.include('To Merchant A');
  });

  it('show what is empty, and everything of what is long', () => {
    expect(inEnglish({ type: 'x', a: null, b: '', c: [], d: {}, e: false })).to.include('a None b None c None d None e No');
    const long = 'word '.repeat(700).trim();
    expect(inEnglish({ type: 'x', creditorName: long })).to.include(long);
  });

  it('show each text of a stranger apart, as text', () => {
    const html = detailInWords('en', { words: PAYMENT, detail: { type: 'x', creditorName: '<b>A</b>', '<i>': ['<u>'] } });
    expect(html).to.include('<bdi>&lt;b&gt;A&lt;/b&gt;</bdi>').and.to.include('&lt;i&gt;').and.to.include('<bdi>&lt;u&gt;</bdi>');
  });
});
