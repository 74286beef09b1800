import { expect } from 'chai';
import { errorPage } from '../../../src/pages/error-page.ts';
import { textOf } from './markup-reader.ts';

describe('the error page', () => {
  it('has words for people, and the code, the reason and the request for whoever repairs it', () => {
    const data = { status: 400, error: 'invalid_request', description: 'The parameter client_id is missing.', requestId: 'r1' };
    const english = textOf(errorPage({ language: 'en', ...data }));
    expect(english).to.contain('This request could not be completed').and.to.contain('Go back to it and start again');
    expect(english)
      .to.contain('Error invalid_request')
      .and.to.contain('Reason The parameter client_id is missing.')
      .and.to.contain('Request r1');

    const korean = errorPage({ language: 'ko', ...data });
    expect(textOf(korean))
      .to.contain('요청을 처리할 수 없습니다')
      .and.to.contain('오류 코드 invalid_request')
      .and.to.contain('요청 번호 r1');
    expect(korean).to.contain('<span lang="en" dir="ltr">The parameter client_id is missing.</span>');
  });

  it('chooses its words by status, and by situation where one is given', () => {
    expect([400, 403, 404, 410, 429, 500, 502, 503].map((status) => heading({}, status))).to.deep.equal([
      'This request could not be completed',
      'This request could not be completed',
      'Page not found',
      'This page has expired',
      'Too many requests',
      'Something went wrong',
      'Something went wrong',
      'Not available right now',
    ]);
    expect(heading({ situation: 'expired' }, 400)).to.equal('This page has expired');
    expect(heading({ title: 'Another heading' }, 400)).to.equal('Another heading');
  });

  it('shows no empty box where there are no details', () => {
    expect(errorPage({ language: 'en', status: 404 })).not.to.contain('class="details"');
  });
});

function heading(data: object, status: number): string | undefined {
  return /<h1>([^<]*)</.exec(errorPage({ language: 'en', status, ...data }))?.[1];
}
