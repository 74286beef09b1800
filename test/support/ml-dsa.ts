import { AVAILABLE_ML_DSA, ML_DSA_NEEDS } from '../../src/core/ml-dsa.ts';

/** A suite for a Node.js that has ML-DSA. Elsewhere every test of it is pending, under a title that says so. */
export function describeWithMlDsa(title: string, suite: () => void): void {
  if (AVAILABLE_ML_DSA.length > 0) {
    describe(title, suite);
  } else {
    describe.skip(`NOT TRIED HERE, for want of ${ML_DSA_NEEDS}: ${title}`, suite);
  }
}
