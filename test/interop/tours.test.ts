import { expect } from 'chai';
import { isAsPrinted, readTour, type TourOutcome, walk } from '../support/tour.ts';

for (const page of [
  'docs/curl.md',
  'docs/authorization-details.md',
  'docs/device-authorization.md',
  'docs/ciba.md',
  'docs/first-party-login.md',
  'docs/shared-signals.md',
  'docs/token-exchange.md',
  'docs/jwt-bearer.md',
  'docs/workload-identity.md',
  'docs/id-jag.md',
  'docs/client-id-metadata-documents.md',
  'docs/dynamic-registration.md',
  'README.md',
]) {
  describe(`${page}, run as it is printed against the built server`, () => {
    const tour = readTour(page);
    let outcome: TourOutcome;
    before(async function () {
      this.timeout(120_000);
      outcome = await walk(tour);
    });

    tour.steps.forEach(({ title, prints }, index) => {
      it(`${title} ${prints === undefined ? 'runs' : 'prints what the page says'}`, () => {
        const printed = outcome.printed[index];
        if (printed === undefined) {
          throw new Error(`The shell stopped with ${String(outcome.exitCode)} before the end of this step:\n${outcome.errors}`);
        }
        if (prints !== undefined && !isAsPrinted(printed, prints)) {
          expect(printed).to.equal(prints);
        }
      });
    });
  });
}
