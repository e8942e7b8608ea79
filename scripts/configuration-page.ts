import { variableOf } from '../src/server/config/env.ts';
import { settings } from '../src/server/config/settings.ts';

/** docs/reference/configuration.md, from the list of settings. */
export function configurationReference(): string {
  const rows = settings.map((setting) => {
    const words =
      'words' in setting ? ` One of ${setting.words.map((word) => `\`${word}\``).join(', ')}.` : '';
    const fallback = setting.default === '' ? '' : `\`${setting.default}\``;
    return `| \`${setting.key}\` | \`${variableOf(setting.key)}\` | ${fallback} | ${setting.summary}${words} |`;
  });
  return `# Configuration

Written by \`npm run reference\` from \`src/server/config/settings.ts\`.

The server reads \`lazaret.yaml\` in the current folder, or the file that \`--config\` or \`LAZARET_CONFIG\` names. A
variable overrides the file. Every variable also works with \`_FILE\` at its end: then it names a file that holds the
value, which is how secrets are given. An unknown key in the file stops the start and is named with its path; an unknown
variable that begins with \`LAZARET_\` is a warning in the log. Durations are written \`500ms\`, \`10s\`, \`5m\`, \`24h\`,
\`7d\`.

| key | variable | default | meaning |
|---|---|---|---|
${rows.join('\n')}

\`\`\`yaml
region: eu
listen:
  host: 0.0.0.0
  port: 5000
url: https://registry.example.com
collection:
  grace: 24h
peers:
  - name: us
    url: https://us.registry.example.com
    secretFile: /run/secrets/eu-us
\`\`\`
`;
}
