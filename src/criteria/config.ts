import type { Field } from '../lib/fields.ts';
import type { ConfigCriteria } from './criteria.ts';
import { labelSchema, labelText, parseLabel, parseText } from './parts.ts';

const nameMax = 512;
const asks = ['user', 'port', 'env', 'label'] as const;

export function parseConfig(body: Field): ConfigCriteria['config'] {
  body.keys(asks);
  const [user, port, env, label] = asks.map((key) => body.optional(key));
  if (!user && !port && !env && !label) throw body.error(`must have at least one of ${asks.join(', ')}`);
  return {
    ...(user ? { user: parseText(user, nameMax) } : {}),
    ...(port ? { port: parsePort(port) } : {}),
    ...(env ? { env: parseName(env) } : {}),
    ...(label ? { label: parseLabel(label) } : {}),
  };
}

export function describeConfig({ user, port, env, label }: ConfigCriteria['config']): string {
  const parts = [
    ...(user === undefined ? [] : [`runs as ${user}`]),
    ...(port === undefined ? [] : [`exposes port ${port}`]),
    ...(env === undefined ? [] : [`sets ${env}`]),
    ...(label === undefined ? [] : [`has label ${labelText(label)}`]),
  ];
  return parts.join(' and ');
}

const nameSchema = { type: 'string', pattern: '^[^\\u0000]+$', maxLength: nameMax } as const;

export const configSchema = {
  type: 'object',
  additionalProperties: false,
  anyOf: asks.map((key) => ({ required: [key] })),
  properties: {
    user: { ...nameSchema, description: 'name or number; root is also 0, and none given' },
    port: { type: 'string', pattern: '^[0-9]{1,5}/(?:tcp|udp|sctp)$', description: '8080/tcp' },
    env: { ...nameSchema, pattern: '^[^=\\u0000]+$', description: 'the name of a variable, never its value' },
    label: labelSchema,
  },
} as const;

function parsePort(field: Field): string {
  const port = field.text(16);
  if (/^[0-9]{1,5}\/(?:tcp|udp|sctp)$/.test(port) && Number.parseInt(port, 10) <= 65_535) return port;
  throw field.error(`'${port}' is not a port such as 8080/tcp`);
}

function parseName(field: Field): string {
  const name = parseText(field, nameMax);
  if (name.includes('=')) throw field.error('is the name of a variable; values are never kept');
  return name;
}
