import { perFile, type Rule } from '../rule.ts';

/** One search for a row of the contract finds its proof. */
export const provenRows: Rule = {
  promise: 'every test file that spans folders names the row of the contract it proves',
  check: perFile((file) =>
    file.isTest && file.path.startsWith('test/') && !/SPEC [A-Z]\d+/.test(file.text)
      ? [file.fault(0, 'name the row in a title or a comment: SPEC L1')]
      : [],
  ),
  planted: { 'test/claims.test.ts': `it('claims', () => { expect(1).toBe(1); });` },
};
