import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { advisoryAffects } from './affects.ts';
import { parseOsv } from './parse.ts';

const records = new Map(
  readFileSync(new URL('../../../test/fixtures/osv/ecosystems.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => parseOsv(JSON.parse(line)))
    .map((advisory) => [advisory.id, advisory] as const),
);

/** What a real advisory says of versions: the fix of an affected one (`-` where none is named), `no`, or `unknown`. */
type Verdicts = Readonly<Record<string, string>>;

it.each<readonly [string, string, string, Verdicts]>([
  [
    'PYSEC-2023-167',
    'PyPI',
    'vyper',
    {
      '0.3.9': '0.3.10rc1',
      '0.3.10.dev1': '0.3.10rc1',
      '0.3.10-RC.1': 'no',
      '0.3.10': 'no',
      master: 'unknown',
    },
  ],
  [
    'GHSA-h6w6-xmqv-7q78',
    'RubyGems',
    'activerecord',
    {
      '2.3.12': '2.3.13',
      '3.0.0.beta4': '3.0.10',
      '3.0.0.alpha': 'no',
      '3.1.0.rc4': '3.1.0.rc5',
      '3.1.0': 'no',
      '3beta': 'unknown',
    },
  ],
  [
    'CVE-2025-8671',
    'Packagist',
    'amphp/http-server',
    {
      'v2.0.0-rc4': '2.1.10',
      '3.0.0-beta.1': '3.4.4',
      '3.4.4': 'no',
      '3.0.0-alpha1': 'no',
      'dev-master': 'unknown',
    },
  ],
  [
    'CVE-2024-2653',
    'Packagist',
    'amphp/http',
    { '1.7.2': '-', '1.7.3': 'no', 'v2.1': '-', '2.1.1': 'no', '2.x-dev': 'no' },
  ],
  [
    'CVE-2024-43484',
    'NuGet',
    'System.IO.Packaging',
    {
      '6.0': '6.0.1',
      '8.0.0-RC.1.23419.4': '8.0.1',
      '9.0.0-rc.1.24431.7': '9.0.0-rc.2.24473.5',
      '8.0.1.0': 'no',
      '*': 'unknown',
    },
  ],
  [
    'GHSA-2h3q-v47h-f4rc',
    'Hex',
    'ejabberd',
    { '2.1.8': '2.1.9', '3.0.0-alpha-3': '3.0.0-alpha-4', '2.1.9': 'no', '2.x': 'unknown' },
  ],
  [
    'GHSA-fmj7-7gfw-64pg',
    'Pub',
    'agent_dart',
    { '1.0.0-dev.9': '1.0.0-dev.29', '1.0.0-dev.29': 'no', '1.0.0': 'no', any: 'unknown' },
  ],
  [
    'ALPINE-CVE-2023-22006',
    'Alpine:edge',
    'openjdk17',
    {
      '17.0.8_p6-r3': '17.0.8_p7-r0',
      '17.0.8-r0': '17.0.8_p7-r0',
      '17.0.8_p7-r0': 'no',
      '17.0.10_p1-r0': 'no',
      '17-rc1': 'unknown',
    },
  ],
  [
    'ALSA-2026:19372',
    'AlmaLinux:9',
    'nginx-filesystem',
    {
      '2:1.26.3-8.el9': '2:1.26.3-9.module_el9.8.0+247+aa936373',
      '1:1.99-1': '2:1.26.3-9.module_el9.8.0+247+aa936373',
      '2:1.26.3-10.el9': 'no',
      'x:1': 'unknown',
    },
  ],
  [
    'RLSA-2025:3261',
    'Rocky Linux:9',
    'nginx',
    {
      '1:1.22.1-3.el9': '1:1.22.1-8.module+el9.6.0+32001+2660e3dc.1',
      '1:1.22.1-8.module+el9.6.0+32001+2660e3dc.1': 'no',
      '1:1.22.1~rc1-9.el9': '1:1.22.1-8.module+el9.6.0+32001+2660e3dc.1',
    },
  ],
  [
    'USN-6435-1',
    'Ubuntu:Pro:18.04:LTS',
    'openssl',
    {
      '1.1.1-1ubuntu2.1~18.04.9': '1.1.1-1ubuntu2.1~18.04.23+esm3',
      '1.1.1-1ubuntu2.1~18.04.23+esm3': 'no',
      '1.1.1-1ubuntu2.1': 'no',
      '1_0': 'unknown',
    },
  ],
  [
    'GO-2025-4107',
    'Go',
    'kubevirt.io/kubevirt',
    {
      'v1.5.2': '1.5.3',
      '1.6.0-alpha.1': '1.6.0-beta.0.0.20250730135146-231dc69723f3',
      'v1.6.0-beta.0': '1.6.0-beta.0.0.20250730135146-231dc69723f3',
      'v1.6.1': 'no',
      '(devel)': 'unknown',
    },
  ],
  [
    'CVE-2020-13934',
    'Maven',
    'org.apache.tomcat:tomcat',
    {
      '9.0.0.M9': '9.0.36',
      '9.0.0.M4': 'no',
      '10.0.0-M5': '10.0.0-M6',
      '10.0.0': 'no',
      ['$' + '{tomcat}']: 'unknown',
    },
  ],
  [
    'GHSA-78p6-6878-8mj6',
    'crates.io',
    'sm2',
    { '0.14.0-pre.0': '-', '0.14.0-rc.4': '-', '0.14.0-rc.5': 'no', '0.13.3': 'no', git: 'unknown' },
  ],
  [
    'BIT-argo-cd-2023-25163',
    'Bitnami',
    'argo-cd',
    { '2.6.0': '-', '2.6.0-rc3': '-', '2.6.0-rc8': 'no', '2.6.1': 'no', latest: 'unknown' },
  ],
])('%s of %s %s', (id, ecosystem, name, verdicts) => {
  const advisory = records.get(id);
  if (advisory === undefined) throw new Error(`no record ${id}`);
  const found = Object.keys(verdicts).map((version) => {
    const answer = advisoryAffects(advisory, { ecosystem, name, version });
    if (answer.verdict === 'affected') return [version, answer.fixedIn ?? '-'];
    return [version, answer.verdict === 'unaffected' ? 'no' : 'unknown'];
  });
  expect(Object.fromEntries(found)).toEqual(verdicts);
});

it('has a record of every file here tested', () => {
  expect(records.size).toBe(15);
});
