import { perFile, type Rule } from '../rule.ts';

/** Paths and hosts that exist on one machine or in one network only. */
const LOCAL_TEXT = [
  /(?<![\w.])\/(work|home|Users)\/[a-z]/,
  /(?<![\w.])\/root\/\w/,
  /registry\.(npmjs|yarnpkg)/,
  /"resolved":\s"http/,
];

/** A clone works for everybody, whatever lies around it. */
export const portableText: Rule = {
  promise: 'no tracked file names a path of one machine or the host of a package registry',
  check: perFile((file) =>
    LOCAL_TEXT.flatMap((pattern) => {
      const match = pattern.exec(file.text);
      return match === null ? [] : [file.fault(match.index, `"${match[0]}" exists on one machine only`)];
    }),
  ),
  planted: {
    'docs/a.md': `see ${['', 'home', 'me', 'notes'].join('/')}`,
    'package-lock.json': `{ "resolved": "${'https'}://packages.example/a.tgz" }`,
  },
};
